-- Change
-- counts: a course of one rater
--
-- From the first to the latest of two comparable ratings of one rater (rule 1: the mean of the changes over the items
-- rated both times), and to the rating 12 months after the first, give or take 6 weeks. A second line leaves out items 9
-- and 10, which rise with the calendar alone. Those who left and those who fell silent are counted with those who stayed,
-- and apart. There is no comparison group: not an effect of IMR.
--
-- Endring
-- counts: et forløp for én som fyller ut
--
-- Fra den første til den siste av to sammenlignbare utfyllinger (regel 1: gjennomsnittet av endringene over
-- spørsmålene som er besvart begge ganger), og til utfyllingen 12 måneder etter den første, pluss eller minus 6 uker.
-- En annen linje utelater spørsmål 9 og 10, som stiger med kalenderen alene. De som sluttet, og de som ble stille,
-- telles sammen med dem som ble, og hver for seg. Det er ingen sammenligningsgruppe: ikke en virkning av IMR.
WITH measured AS (
  SELECT rater, change_fact.unit,
         CASE WHEN ending = 'left' THEN 'left' WHEN silent THEN 'silent' ELSE 'stayed' END AS class,
         delta_sum / items AS "to the latest, all items",
         (delta_sum - delta_calendar) / (items - 2) AS "to the latest, without items 9 and 10",
         delta_sum_12 / items_12 AS "at 12 months, all items",
         (delta_sum_12 - delta_calendar_12) / (items_12 - 2) AS "at 12 months, without items 9 and 10"
  FROM change_fact JOIN course_fact USING (course)
),
long AS (
  UNPIVOT measured ON COLUMNS('^(to the latest|at 12 months)') INTO NAME part VALUE delta
)
SELECT part, part || ': all' AS total, part || ': ' || coalesce(class, 'all') AS row, coalesce(unit, 'all') AS unit,
       'all' AS quarter, rater, count(*) AS n, avg(delta) AS mean, stddev_samp(delta) AS sd, median(delta) AS median
FROM long
GROUP BY GROUPING SETS ((part, rater, unit, class), (part, rater, unit), (part, rater, class), (part, rater))
