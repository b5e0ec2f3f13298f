-- Agreement
-- counts: the latest blind pair of a course
--
-- How often both raters gave the same answer, one apart, or two or more apart, with the mean difference (client less
-- clinician) and quadratic kappa from 30 pairs on; for the scores the limits of agreement and ICC(A,1). Pairs of which one
-- was seen first are counted and left out. Never a quality target.
SELECT item, client, clinician, count(*) AS n
FROM pair_item_fact SEMI JOIN (FROM pair_fact WHERE latest_blind) AS latest USING (pair)
GROUP BY ALL
ORDER BY ALL
