-- How many of each kind the export holds, and why some stand in no figure.
WITH read AS (
  SELECT 'ratings' AS kind, left_out FROM rating
  UNION ALL SELECT 'courses', left_out FROM episode
  UNION ALL SELECT 'outcomes of due occasions', left_out FROM outcome
  UNION ALL SELECT 'goals', left_out FROM wish
  UNION ALL SELECT 'reviews', left_out FROM review
),
other AS (
  SELECT 'ratings' AS kind, 'another form' AS reason, count(*) AS n FROM responses WHERE rater_of(questionnaire) IS NULL
  UNION ALL
  SELECT 'ratings', 'a score whose response is read', count(*)
  FROM newest('scores') WHERE id_in(derived_from, 'QuestionnaireResponse') IN (SELECT id FROM responses)
  UNION ALL
  SELECT 'ratings', 'an older version', count(*) - count(DISTINCT id) FROM responses WHERE rater_of(questionnaire) IS NOT NULL
  UNION ALL SELECT 'ratings', 'an older version', count(*) - count(DISTINCT id) FROM scores
  UNION ALL
  SELECT 'courses', 'another programme', count(DISTINCT id) FROM courses WHERE id NOT IN (SELECT id FROM episode)
  UNION ALL SELECT 'courses', 'an older version', count(*) - count(DISTINCT id) FROM courses
  UNION ALL SELECT 'outcomes of due occasions', 'an older version', count(*) - count(DISTINCT id) FROM due_outcomes
  UNION ALL SELECT 'goals', 'an older version', count(*) - count(DISTINCT id) FROM goals
  UNION ALL SELECT 'reviews', 'an older version', count(*) - count(DISTINCT id) FROM reviews
)
SELECT kind, reason, sum(n)::BIGINT AS n
FROM (SELECT kind, if(left_out = '', 'counted', left_out) AS reason, count(*) AS n FROM read GROUP BY ALL
      UNION ALL FROM other)
GROUP BY kind, reason
HAVING sum(n) > 0
ORDER BY kind, if(reason = 'counted', '', reason)
