-- Left
-- counts: a course
-- quarter: the start and that many months
-- of interest: month 3: left; month 6: left; month 9: left; month 12: left
--
-- Courses that had ended with a reason other than completed, moved or died by month 3, 6, 9 and 12; of those begun
-- that long before the export. Silent: the last due window closed with nothing, no response of any status and no
-- outcome. Courses that only gaps between ratings tell of are left out: whether they were left is not recorded.
--
-- Sluttet
-- counts: et forløp
-- quarter: starten og så mange måneder
--
-- Forløp som var avsluttet av en annen grunn enn fullført, flyttet eller død innen måned 3, 6, 9 og 12; av dem som
-- begynte så lenge før uttrekket. Stille: Det siste vinduet for et tidspunkt gikk ut med ingenting, ingen besvarelse
-- uansett status og ikke noe utfall. Forløp som bare opphold mellom utfyllinger forteller om, er utelatt: Om de
-- sluttet, er ikke registrert.
WITH by_month AS (
  UNPIVOT (SELECT unit, start, standing_3 AS "3", standing_6 AS "6", standing_9 AS "9", standing_12 AS "12"
           FROM course_fact WHERE source != 'gap')
  ON "3", "6", "9", "12" INTO NAME month VALUE standing
)
SELECT 'month ' || month AS part, 'begun, month ' || month AS total, 'month ' || month || ': ' || standing AS row,
       unit, quarter_of((start + to_months(month::INTEGER))::DATE) AS quarter, '' AS rater, count(*) AS n
FROM by_month
WHERE standing != ''
GROUP BY ALL
