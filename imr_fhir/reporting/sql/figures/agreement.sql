-- Agreement
-- counts: the latest blind pair of a course
--
-- How often both raters gave the same answer, one apart, or two or more apart, with the mean difference (client less
-- clinician) and quadratic kappa from 30 pairs on; for the scores the limits of agreement and ICC(A,1). Pairs of which one
-- was seen first are counted and left out. Never a quality target.
--
-- Samsvar
-- counts: det siste paret i et forløp som er fylt ut uten å ha sett den andre
--
-- Hvor ofte begge som fylte ut, ga samme svar, ett fra hverandre, eller to eller mer fra hverandre, med
-- gjennomsnittlig forskjell (pasient minus behandler) og kvadratvektet kappa fra 30 par; for skårene grenser for
-- samsvar og ICC(A,1). Par der den ene var sett først, telles og er utelatt. Aldri et kvalitetsmål.
SELECT item, client, clinician, count(*) AS n
FROM pair_item_fact SEMI JOIN (FROM pair_fact WHERE latest_blind) AS latest USING (pair)
GROUP BY ALL
ORDER BY ALL
