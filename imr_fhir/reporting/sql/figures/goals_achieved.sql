-- Goals achieved
-- counts: a goal
-- quarter: the start of the goal
--
-- Goals that are achieved at the export, by who judged so in the last review; of all goals begun 6 months ago or more,
-- reviewed or not. Not what I want any more is a class of its own.
--
-- Mål nådd
-- counts: et mål
-- quarter: målets start
--
-- Mål som er nådd ved uttrekket, etter hvem som vurderte det i den siste gjennomgangen; av alle mål begynt for minst 6
-- måneder siden, enten de er gjennomgått eller ikke. Ikke det jeg vil lenger er en egen klasse.
SELECT 'goals' AS part, 'goals 6 months old' AS total,
       CASE outcome WHEN 'achieved' THEN 'achieved, judged by ' || if(judged_by = '', 'nobody recorded', 'the ' || lower(judged_by))
                    WHEN 'not-wanted' THEN 'not what I want any more' ELSE 'not achieved' END AS row,
       unit, quarter_of(start) AS quarter, '' AS rater, count(*) AS n
FROM goal_fact
WHERE (start + INTERVAL 6 MONTH)::DATE <= getvariable('exported')
GROUP BY ALL
