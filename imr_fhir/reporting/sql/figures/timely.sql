-- In time
-- counts: a due occasion of one rater
-- quarter: the due date
-- of interest: timely
--
-- Answered within the due window (14 days before to 28 days after the due date, 28 each way for the first), by the
-- first completion, never by the time of filing. Of all due occasions, and of those answered.
--
-- I tide
-- counts: et tidspunkt for én som fyller ut
-- quarter: tidspunktets dato
--
-- Besvart innen vinduet for tidspunktet (14 dager før til 28 dager etter tidspunktet, 28 hver vei for det første),
-- etter da besvarelsen først ble fullført, aldri etter da den ble lagret i journalen. Av alle tidspunkter som har
-- vært, og av de besvarte.
SELECT 'due' AS part, 'due' AS total, if(timely, 'timely', 'not timely') AS row,
       unit, quarter_of(due) AS quarter, rater, count(*) AS n
FROM occasion_fact
GROUP BY ALL
UNION ALL
SELECT 'answered', 'answered', if(timely, 'timely', 'late'), unit, quarter_of(due), rater, count(*)
FROM occasion_fact
WHERE state = 'answered'
GROUP BY ALL
