-- Answered
-- counts: a due occasion of one rater
-- quarter: the due date
-- of interest: answered; offered: answered
--
-- Due occasions with a complete response, completed or amended, that was first completed in the answering window (from
-- 14 days before a due date to 14 before the next), also where the course had ended since; a later correction moves
-- nothing. Of all due occasions, and of those offered. Each other outcome is a row.
--
-- Besvart
-- counts: et tidspunkt for én som fyller ut
-- quarter: tidspunktets dato
--
-- Tidspunkter med en fullstendig besvarelse, fullført eller rettet, som først ble fullført i svarvinduet (fra 14 dager
-- før et tidspunkt til 14 før det neste), også der forløpet var avsluttet siden; en senere retting flytter ingenting.
-- Av alle tidspunkter som har vært, og av dem som ble tilbudt. Hvert annet utfall er en rad.
SELECT 'due' AS part, 'due' AS total, state AS row, unit, quarter_of(due) AS quarter, rater, count(*) AS n
FROM occasion_fact
GROUP BY ALL
UNION ALL
SELECT 'offered', 'offered', 'offered: ' || state, unit, quarter_of(due), rater, count(*)
FROM occasion_fact
WHERE offered AND unit IN (FROM offers_recorded)
GROUP BY ALL
