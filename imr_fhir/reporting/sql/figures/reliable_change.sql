-- Reliable change
-- counts: a course of one rater
-- quarter: the start of the course
--
-- Higher, within or lower than measurement uncertainty usually gives (T, Jacobson and Truax), or cannot say; of
-- courses begun 6 months ago or more, and of the comparable ones among them. Also at both ends of T's band. By chance
-- alone 2.5 % are expected each way.
--
-- Pålitelig endring
-- counts: et forløp for én som fyller ut
-- quarter: forløpets start
--
-- Høyere, innenfor eller lavere enn måleusikkerhet vanligvis gir (T, Jacobson og Truax), eller kan ikke si noe; av
-- forløp begynt for minst 6 måneder siden, og av de sammenlignbare blant dem. Også ved begge ender av båndet for T.
-- Ved tilfeldighet alene ventes 2,5 % hver vei.
WITH old_enough AS (
  SELECT *, if(reason = '', '', 'cannot say') AS unsaid FROM change_fact
  WHERE (start + INTERVAL 6 MONTH)::DATE <= getvariable('exported')
),
at_each AS (
  SELECT 'T' AS threshold, if(unsaid = '', flag, unsaid) AS said, * FROM old_enough
  UNION ALL SELECT 'the lower end of T''s band', if(unsaid = '', flag_narrow, unsaid), * FROM old_enough
  UNION ALL SELECT 'the upper end of T''s band', if(unsaid = '', flag_wide, unsaid), * FROM old_enough
)
SELECT 'begun, at ' || threshold AS part, 'begun 6 months ago' AS total, threshold || ': ' || said AS row,
       unit, quarter_of(start) AS quarter, rater, count(*) AS n
FROM at_each
GROUP BY ALL
UNION ALL
SELECT 'comparable, at ' || threshold, 'comparable', threshold || ': ' || said, unit, quarter_of(start), rater, count(*)
FROM at_each
WHERE said != 'cannot say'
GROUP BY ALL
