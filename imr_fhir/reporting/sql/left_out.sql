-- How many of each kind the export holds, and why some stand in no figure. Over the tables of facts too. Lines of which
-- there is no row, such as those of an older version, are told by their files (reconciliation.py).
WITH spans AS (  -- the days on which a course takes a rating, or one of its occasions an answer
  SELECT patient, start - 28 AS opens, coalesce("end", 'infinity'::DATE) AS closes FROM course_fact
  UNION ALL
  SELECT patient, due - if(k = 0, 28, 14), (start + to_months(3 * (k + 1)::INTEGER))::DATE - 15
  FROM occasion_fact JOIN course_fact USING (course) WHERE rater = 'client'
),
said AS (
  SELECT 'ratings' AS kind, patient, day, left_out FROM rating
  UNION ALL SELECT 'outcomes of due occasions', patient, day, left_out FROM outcome
),
read AS (
  SELECT kind, if(left_out = '' AND NOT EXISTS (
                    FROM spans WHERE spans.patient = said.patient AND said.day BETWEEN opens AND closes
                  ), 'outside every course', left_out) AS left_out
  FROM said
  UNION ALL
  SELECT 'courses', if(left_out = '' AND (status IN ('planned', 'waitlist') OR start > getvariable('exported')),
                       'not begun', left_out)
  FROM episode
  UNION ALL
  SELECT 'rows of the hospital''s table of courses',
         if(left_out = '' AND start > getvariable('exported'), 'not begun', left_out)
  FROM table_row
  UNION ALL
  SELECT 'patients', CASE WHEN test THEN 'test patient'
                          WHEN id IN (SELECT id FROM merged) THEN 'merged into another record' ELSE '' END
  FROM patient
  UNION ALL SELECT 'goals', left_out FROM wish
  UNION ALL SELECT 'reviews', min(left_out) FROM review GROUP BY id
),
other AS (
  SELECT 'ratings' AS kind, 'another form' AS reason, count(*) AS n FROM responses WHERE rater_of(questionnaire) IS NULL
  UNION ALL
  SELECT 'ratings', 'a score whose response is read', count(*)
  FROM newest('scores') WHERE id_in(derived_from, 'QuestionnaireResponse') IN (SELECT id FROM responses)
  UNION ALL
  SELECT 'courses', 'another programme', count(DISTINCT id) FROM courses WHERE id NOT IN (SELECT id FROM episode)
)
SELECT kind, reason, sum(n)::BIGINT AS n
FROM (SELECT kind, if(left_out = '', 'counted', left_out) AS reason, count(*) AS n FROM read GROUP BY ALL
      UNION ALL FROM other)
GROUP BY kind, reason
HAVING sum(n) > 0
ORDER BY kind, if(reason = 'counted', '', reason)
