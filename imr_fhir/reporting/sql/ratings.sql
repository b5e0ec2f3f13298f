-- Each rating of the export once, with the reason why it is left out ("" where it counts).
-- A rating is a response, or a score for which the record has no response (EHRs that take no responses).
-- Variables: zone (the site's), exported (the day of the export there), base (canonical base), version (of the
-- Questionnaires that are known here).

CREATE OR REPLACE MACRO id_in(reference, type) AS
  nullif(regexp_extract(reference, '(?:^|/)' || type || '/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$', 1), '');

-- An instant of a dateTime that has a time. What lies before 1900 is no time but what some software writes where it has
-- none (0001-01-01).
CREATE OR REPLACE MACRO instant_of(text) AS
  CASE WHEN text LIKE '%T%' AND text >= '1900' THEN try_cast(text AS TIMESTAMPTZ) END;

-- "For ever" (9999-12-31T23:59:59Z) is in some zones a day of the year 10000, which no date has.
CREATE OR REPLACE MACRO day_of(text) AS
  CASE WHEN instant_of(text) IS NOT NULL
         THEN least(timezone(getvariable('zone'), instant_of(text))::DATE, '9999-12-31'::DATE)
       WHEN length(text) = 10 AND text >= '1900' THEN try_cast(text AS DATE) END;

-- A day alone is its noon, as on the panel.
CREATE OR REPLACE MACRO moment_of(text) AS
  coalesce(instant_of(text), timezone(getvariable('zone'), day_of(text) + INTERVAL 12 HOURS));

-- Of an Observation: others are no result yet, or none (R4, observation-status).
CREATE OR REPLACE MACRO stands(a_status) AS coalesce(a_status, '') IN ('final', 'amended', 'corrected');

CREATE OR REPLACE MACRO rater_of(canonical) AS
  CASE split_part(canonical, '|', 1)
    WHEN getvariable('base') || '/Questionnaire/imr-client' THEN 'client'
    WHEN getvariable('base') || '/Questionnaire/imr-clinician' THEN 'clinician'
  END;

-- Two versions of one resource: the newest stands.
CREATE OR REPLACE MACRO newest(of) AS TABLE
  FROM query_table(of)
  QUALIFY row_number() OVER (
    PARTITION BY id ORDER BY instant_of(last_updated) DESC NULLS LAST, try_cast(version_id AS BIGINT) DESC NULLS LAST
  ) = 1;

CREATE OR REPLACE TABLE patient AS
SELECT
  id,
  coalesce(test, false) AS test,
  day_of(deceased_at) AS died
FROM newest('patients');

-- Where one record was merged into another, all of both is of the one that stands. A link counts only where it leads,
-- over others if need be, to one Patient of the export that is replaced by none; the others are told (unmerged).
-- What a test patient's record says stays a test patient's.
CREATE OR REPLACE TABLE replaced AS
SELECT patient_id AS id, min(id_in(replaced_by, 'Patient')) AS other,
       CASE WHEN count(DISTINCT coalesce(replaced_by, '')) > 1 THEN 'replaced by several records'
            WHEN other IS NULL OR other NOT IN (SELECT id FROM patient)
              THEN 'replaced by a record that is not in the export' ELSE '' END AS fault
FROM patient_links WHERE patient_id NOT IN (SELECT id FROM patient WHERE test)
GROUP BY patient_id;

CREATE OR REPLACE TABLE merged AS
WITH RECURSIVE walk AS (
  SELECT id, other FROM replaced WHERE fault = ''
  UNION
  SELECT walk.id, replaced.other FROM walk JOIN replaced ON replaced.id = walk.other AND fault = ''
)
SELECT id, other AS stands FROM walk WHERE other NOT IN (SELECT id FROM replaced WHERE fault = '');

CREATE OR REPLACE TABLE unmerged AS
SELECT id, if(fault = '', 'replaced by each other in a circle', fault) AS fault
FROM replaced WHERE id NOT IN (SELECT id FROM merged);

-- Id of the person that a reference means.
CREATE OR REPLACE MACRO person_in(reference) AS
  coalesce((SELECT stands FROM merged WHERE merged.id = id_in(reference, 'Patient')), id_in(reference, 'Patient'));

-- What is kept twice under one UUID counts once; a copy that can't be counted does not push out one that can. Other
-- software numbers by what it likes, and a number that two patients' records have is of each.
CREATE OR REPLACE MACRO urn_of(identifier) AS CASE WHEN identifier LIKE 'urn:uuid:%' THEN identifier END;

CREATE OR REPLACE MACRO left_out_once(fault, urn, patient, updated, id) AS
  CASE WHEN fault = '' AND urn IS NOT NULL AND row_number() OVER (
         PARTITION BY urn, patient, fault = '' ORDER BY instant_of(updated) DESC NULLS LAST, id
       ) > 1 THEN 'duplicate' ELSE fault END;

-- The answers of a rating, 15 octal digits from item 15 down to item 1: 0 none, 1 not applicable, 2 to 6 the ratings 1 to 5.
-- What stands at no item of the scale, or is no answer of it, is not packed: it makes the rating unreadable.
CREATE OR REPLACE MACRO place_of(item) AS
  CASE WHEN regexp_full_match(item, '0[1-9]|1[0-5]') THEN (8 ** (try_cast(item AS INTEGER) - 1))::BIGINT END;

CREATE OR REPLACE TABLE response_answers AS
SELECT
  response_id AS id,
  sum(CASE WHEN right(code, 2) = 'na' THEN 1 ELSE try_cast(right(code, 1) AS BIGINT) + 1 END
      * place_of(link_id))::BIGINT AS packed,
  coalesce(bool_or(
    link_id IS NULL OR NOT regexp_full_match(link_id, '0[1-9]|1[0-5]')
    OR (code IS NOT NULL AND (
      system IS DISTINCT FROM getvariable('base') || '/CodeSystem/imr-' || rater_of(questionnaire)
      OR NOT (code = '13-na' AND link_id = '13' OR regexp_full_match(code, '[0-9]{2}-[1-5]') AND left(code, 2) = link_id)))
  ), false) OR count(code) > count(DISTINCT link_id) FILTER (code IS NOT NULL) AS unreadable
FROM (FROM items WHERE rater_of(questionnaire) IS NOT NULL)
GROUP BY response_id;

CREATE OR REPLACE TABLE rating AS
WITH ours AS (
  SELECT
    id, 'form' AS kept, identifier, status, rater_of(questionnaire) AS rater,
    split_part(questionnaire, '|', 2) AS version, person_in(patient) AS patient,
    coalesce(source, author) AS rated_by, moment_of(coalesce(first_completed, authored)) AS measured,
    CASE WHEN shown_language IS NOT NULL THEN shown_language
         WHEN left(language, 2) IN ('nb', 'no', 'nn') THEN 'nb' ELSE 'en' END AS language,
    packed, coalesce(unreadable, false) AS unreadable, last_updated
  FROM newest('responses') LEFT JOIN response_answers USING (id)
  WHERE rater_of(questionnaire) IS NOT NULL
),
-- What each score that stands says of its members. The panel refuses the whole of one too of which a part is not to be
-- had or does not stand: its mean still has that in it.
linked AS (
  SELECT score_id, member.*
  FROM score_member_links LEFT JOIN newest('score_members') AS member ON id_in(member, 'Observation') = member.id
),
parts AS (
  SELECT
    score_id AS id,
    CASE WHEN bool_or(linked.id IS NULL) THEN 'a member that is not in the export'
         WHEN bool_or(person_in(linked.patient) IS DISTINCT FROM person_in(score.patient)) THEN 'a member of another patient'
         WHEN bool_or(NOT stands(linked.status)) THEN 'a member that does not stand'
         ELSE '' END AS of_parts
  FROM linked JOIN newest('scores') AS score ON score.id = score_id
  GROUP BY score_id
),
score_answers AS (
  SELECT
    id,
    sum(CASE WHEN absent_reason = 'not-applicable' THEN 1 ELSE rating + 1 END * place_of(item))::BIGINT AS packed,
    bool_or(coalesce(rating NOT BETWEEN 1 AND 5, false) OR (absent_reason = 'not-applicable' AND item != '13'))
      OR count(*) > count(DISTINCT item) AS unreadable
  FROM (
    SELECT score_id AS id, item, rating, absent_reason FROM score_items
    UNION ALL
    SELECT score_id, item, rating, absent_reason FROM linked
  )
  WHERE place_of(item) IS NOT NULL AND (rating IS NOT NULL OR absent_reason = 'not-applicable')
  GROUP BY id
),
alone AS (
  SELECT
    id, 'score' AS kept, identifier,
    CASE WHEN status = 'entered-in-error' THEN status
         WHEN status NOT IN ('final', 'corrected') THEN 'unknown'  -- the panel takes no other for a rating either
         WHEN absent_reason IS NOT NULL THEN 'stopped'
         WHEN status = 'corrected' THEN 'amended' WHEN status = 'final' THEN 'completed' END AS status,
    replace(code, 'score-', '') AS rater, split_part(questionnaire, '|', 2) AS version,
    person_in(patient) AS patient, performer AS rated_by, moment_of(measured) AS measured,
    coalesce(shown_language, '') AS language, packed, coalesce(unreadable, false) AS unreadable, last_updated, of_parts
  FROM newest('scores') LEFT JOIN score_answers USING (id) LEFT JOIN parts USING (id)
  WHERE derived_from IS NULL OR id_in(derived_from, 'QuestionnaireResponse') NOT IN (SELECT id FROM responses)
),
every AS (
  SELECT
    each.* EXCLUDE (packed, unreadable, of_parts) REPLACE (urn_of(each.identifier) AS identifier),
    coalesce(packed, 0) AS answers,
    timezone(getvariable('zone'), measured)::DATE AS day,
    CASE
      WHEN coalesce(patient.test, false) THEN 'test patient'
      WHEN each.status = 'entered-in-error' THEN 'entered in error'
      WHEN version IS DISTINCT FROM getvariable('version') THEN 'unknown version'
      WHEN each.patient IS NULL THEN 'no patient'
      WHEN measured IS NULL THEN 'no readable time'
      WHEN timezone(getvariable('zone'), measured)::DATE > getvariable('exported') THEN 'dated after the export'
      WHEN coalesce(each.status, '') NOT IN ('completed', 'amended', 'stopped', 'in-progress') THEN 'unknown status'
      WHEN of_parts != '' THEN of_parts
      WHEN unreadable THEN 'an answer that is none of the scale''s'
      ELSE ''
    END AS fault
  FROM (FROM ours UNION ALL BY NAME FROM alone) AS each LEFT JOIN patient ON patient.id = each.patient
)
SELECT * EXCLUDE (last_updated, fault), left_out_once(fault, identifier, patient, last_updated, id) AS left_out
FROM every;
