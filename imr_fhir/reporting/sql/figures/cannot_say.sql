-- Change: of how many it can be told
-- counts: a course of one rater
-- quarter: the start of the course
-- of interest: can be compared
--
-- Courses with two comparable ratings of one rater, and why nothing can be said of the others: the first reason that
-- holds.
--
-- Endring: for hvor mange noe kan sies
-- counts: et forløp for én som fyller ut
-- quarter: forløpets start
--
-- Forløp med to sammenlignbare utfyllinger av samme person, og hvorfor ingenting kan sies om de andre: den første
-- grunnen som gjelder.
SELECT 'courses' AS part, 'courses' AS total, if(reason = '', 'can be compared', 'cannot say: ' || reason) AS row,
       unit, quarter_of(start) AS quarter, rater, count(*) AS n
FROM change_fact
GROUP BY ALL
