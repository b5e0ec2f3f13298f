-- What stands beside the ratings, one table a kind, by patient: courses, outcomes of due occasions, what was seen first,
-- goals and their reviews. Variables: zone, exported, and course_types ("system|code", an empty list for all).

CREATE OR REPLACE MACRO left_out_of(a_patient, a_status) AS
  CASE WHEN a_patient IS NULL THEN 'no patient'
       WHEN a_patient IN (SELECT id FROM patient WHERE test) THEN 'test patient'
       WHEN a_status = 'entered-in-error' THEN 'entered in error' ELSE '' END;

-- The same of an Observation: what has not been said yet or never was, the panel does not take for said either.
CREATE OR REPLACE MACRO note_left_out_of(a_patient, a_status, a_day) AS
  CASE WHEN left_out_of(a_patient, a_status) != '' THEN left_out_of(a_patient, a_status)
       WHEN NOT stands(a_status) THEN 'unknown status'
       WHEN a_day IS NULL THEN 'no readable time'
       WHEN a_day > getvariable('exported') THEN 'dated after the export' ELSE '' END;

-- The days of a period that names a month or a year alone: its first and its last, as the panel reads it.
CREATE OR REPLACE MACRO first_day_in(text) AS
  CASE length(text) WHEN 4 THEN day_of(text || '-01-01') WHEN 7 THEN day_of(text || '-01') ELSE day_of(text) END;

CREATE OR REPLACE MACRO last_day_in(text) AS
  CASE length(text) WHEN 4 THEN day_of(text || '-12-31') WHEN 7 THEN last_day(day_of(text || '-01')) ELSE day_of(text) END;

CREATE OR REPLACE TABLE episode AS
WITH found AS (
  SELECT id, status, person_in(patient) AS patient, coalesce(unit, unit_name, '') AS unit,
         first_day_in(period_start) AS start, last_day_in(period_end) AS "end"
  FROM newest('courses')
  WHERE len(getvariable('course_types')) = 0 OR id IN (
    SELECT course_id FROM course_types WHERE list_contains(getvariable('course_types'), system || '|' || code))
),
past AS (
  SELECT course_id AS id,
         min(first_day_in(period_start)) FILTER (status = 'planned') AS offered,
         list({'start': first_day_in(period_start), 'end': last_day_in(period_end)} ORDER BY period_start)
           FILTER (status = 'onhold' AND first_day_in(period_start) IS NOT NULL) AS holds
  FROM course_statuses GROUP BY course_id
)
SELECT found.*, offered, coalesce(holds, []) AS holds,
       CASE WHEN left_out_of(patient, status) != '' THEN left_out_of(patient, status)
            WHEN start IS NULL AND status IN ('planned', 'waitlist', 'cancelled') THEN 'not begun'
            WHEN start IS NULL THEN 'no start'
            WHEN "end" IS NULL AND status IN ('finished', 'cancelled') THEN 'ended without a day'
            WHEN "end" < start THEN 'ends before it starts' ELSE '' END AS left_out
FROM found LEFT JOIN past USING (id);

-- The hospital's own table tells the courses of a patient of whom the record has no episode.
CREATE OR REPLACE TABLE table_row AS
SELECT *,
       CASE WHEN patient NOT IN (SELECT id FROM patient) AND EXISTS (FROM patient) THEN 'patient not in the export'
            WHEN left_out_of(patient, '') != '' THEN left_out_of(patient, '')
            WHEN patient IN (SELECT patient FROM episode WHERE left_out = '') THEN 'the patient has an EpisodeOfCare'
            WHEN start IS NULL THEN 'not begun' ELSE '' END AS left_out
FROM (SELECT * REPLACE (person_in('Patient/' || patient) AS patient) FROM given_row);

CREATE OR REPLACE TABLE outcome AS
SELECT id, person_in(patient) AS patient, outcome, day_of(said) AS day,
       moment_of(said) AS moment, note_left_out_of(person_in(patient), status, day_of(said)) AS left_out
FROM newest('due_outcomes');

-- Of a rating that the record holds twice: of the copy that counts.
CREATE OR REPLACE TABLE seen AS
WITH said AS (
  SELECT person_in(patient) AS patient,
         coalesce(id_in(seen, 'QuestionnaireResponse'), id_in(seen, 'Observation')) AS rating
  FROM newest('seen_first')
  WHERE stands(status)
)
SELECT DISTINCT said.patient, coalesce(counts.id, said.rating) AS rating
FROM said
LEFT JOIN rating AS copy ON copy.id = said.rating AND copy.left_out != ''
LEFT JOIN rating AS counts
  ON counts.identifier = copy.identifier AND counts.patient = copy.patient AND counts.left_out = '';

CREATE OR REPLACE TABLE wish AS
WITH every AS (
  SELECT id, person_in(patient) AS patient, urn_of(identifier) AS identifier, day_of(start_date) AS start,
         lifecycle_status AS lifecycle, coalesce(achievement_status, '') AS achievement,
         day_of(status_date) AS status_date,
         person_in(expressed_by) IS NOT DISTINCT FROM person_in(patient) AS theirs, last_updated,
         CASE WHEN left_out_of(person_in(patient), lifecycle_status) != ''
                THEN left_out_of(person_in(patient), lifecycle_status)
              WHEN day_of(start_date) IS NULL THEN 'no start'
              WHEN day_of(start_date) > getvariable('exported') THEN 'not begun' ELSE '' END AS fault
  FROM newest('goals')
)
SELECT * EXCLUDE (last_updated, fault), left_out_once(fault, identifier, patient, last_updated, id) AS left_out
FROM every;

-- A review of a copy is one of the goal that counts. A step that several goals name has a row for each of them.
CREATE OR REPLACE TABLE review AS
WITH step AS (
  SELECT DISTINCT id, coalesce(id_in(goal, 'Goal'), goal_id) AS goal
  FROM newest('goal_steps') AS goal_steps LEFT JOIN goal_milestones ON id_in(step, 'Goal') = goal_steps.id
),
counts AS (
  SELECT id, patient, id AS stands FROM wish WHERE left_out = ''
  UNION ALL
  SELECT copy.id, patient, one.id FROM wish AS copy JOIN wish AS one USING (identifier, patient)
  WHERE copy.left_out = 'duplicate' AND one.left_out = ''
),
said AS (
  SELECT reviews.*, person_in(patient) AS person, coalesce(step.goal, id_in(focus, 'Goal')) AS about,
         step.id IS NOT NULL AS of_step, day_of(said) AS day
  FROM newest('reviews') AS reviews LEFT JOIN step ON step.id = id_in(focus, 'Goal')
)
SELECT said.id, person AS patient, counts.stands AS goal, of_step, day, result,
       regexp_extract(performer, '([A-Za-z]+)/[^/]+$', 1) AS "by",
       CASE WHEN note_left_out_of(person, status, day) != '' THEN note_left_out_of(person, status, day)
            WHEN counts.stands IS NULL THEN 'of no goal that counts' ELSE '' END AS left_out
FROM said LEFT JOIN counts ON counts.id = about AND counts.patient = person;
