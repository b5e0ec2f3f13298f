-- Offered
-- counts: a due occasion of one rater
-- quarter: the due date
-- of interest: offered
--
-- Due occasions with an offer, or a response of any status, in the answering window; of those whose due window has
-- closed. Out are occasions on hold for the whole window, and those of patients who died before it. Units that record
-- no offers are left out: there it is not recorded, never 100 %.
--
-- Tilbudt
-- counts: et tidspunkt for én som fyller ut
-- quarter: tidspunktets dato
--
-- Tidspunkter med et tilbud, eller med en besvarelse uansett status, i svarvinduet; av dem der vinduet for tidspunktet
-- er gått ut. Utelatt er tidspunkter på vent i hele vinduet, og tidspunkter for pasienter som døde før det. Enheter
-- som ikke registrerer tilbud, er utelatt: Der er det ikke registrert, aldri 100 %.
SELECT 'due' AS part, 'due, offers recorded' AS total, if(offered, 'offered', 'not offered') AS row,
       unit, quarter_of(due) AS quarter, rater, count(*) AS n
FROM occasion_fact
WHERE unit IN (FROM offers_recorded)
GROUP BY ALL
