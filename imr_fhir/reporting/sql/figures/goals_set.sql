-- Goals set
-- counts: a course; a goal
-- quarter: the start of the course, or of the goal
-- of interest: with a goal; expressed by the patient
--
-- Courses with a recovery goal (not a step) begun in the course; of courses begun 28 days ago or more. Beside it, how
-- many of the goals the patient expressed.
--
-- Mål satt
-- counts: et forløp; et mål
-- quarter: forløpets start, eller målets
--
-- Forløp med et recovery-mål (ikke et steg) begynt i forløpet; av forløp begynt for minst 28 dager siden. Ved siden
-- av: hvor mange av målene pasienten har uttrykt.
SELECT 'courses' AS part, 'begun 28 days ago' AS total,
       if(course IN (SELECT course FROM goal_fact WHERE course IS NOT NULL), 'with a goal', 'without a goal') AS row,
       unit, quarter_of(start) AS quarter, '' AS rater, count(*) AS n
FROM course_fact
WHERE start + 28 <= getvariable('exported')
GROUP BY ALL
UNION ALL
SELECT 'goals', 'goals begun in a course', if(theirs, 'expressed by the patient', 'expressed by somebody else'),
       unit, quarter_of(start), '', count(*)
FROM goal_fact
WHERE course IS NOT NULL
GROUP BY ALL
