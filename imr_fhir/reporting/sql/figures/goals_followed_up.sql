-- Goals followed up
-- counts: a goal; a 30-day block of a goal
-- quarter: the start of the goal
-- of interest: followed up; with a review
--
-- Goals with a review, of the goal or of one of its steps, from 14 days to 6 months after its start; of goals 6 months
-- old or more. And 30-day blocks with a review; of all full 30-day blocks in which a goal was active. A review is a
-- review Observation, not an edit.
--
-- Mål fulgt opp
-- counts: et mål; en 30-dagersperiode av et mål
-- quarter: målets start
--
-- Mål med en gjennomgang, av målet eller av et av stegene, fra 14 dager til 6 måneder etter start; av mål som er minst
-- 6 måneder gamle. Og 30-dagersperioder med en gjennomgang; av alle hele 30-dagersperioder der et mål var aktivt. En
-- gjennomgang er en Observation med gjennomgangen, ikke en endring av målet.
SELECT 'goals' AS part, 'goals 6 months old' AS total, if(followed_up, 'followed up', 'not followed up') AS row,
       unit, quarter_of(start) AS quarter, '' AS rater, count(*) AS n
FROM goal_fact
WHERE (start + INTERVAL 6 MONTH)::DATE <= getvariable('exported')
GROUP BY ALL
UNION ALL
SELECT 'blocks', '30-day blocks', unnest(['with a review', 'without a review']), unit, quarter_of(start), '',
       unnest([sum(blocks_reviewed), sum(blocks - blocks_reviewed)])::BIGINT
FROM goal_fact
GROUP BY unit, quarter_of(start)
