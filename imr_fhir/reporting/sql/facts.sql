-- What each figure is a query over, beside the rows of facts. Variable: exported (the day of the export at the site).

CREATE OR REPLACE MACRO quarter_of(day) AS year(day) || '-Q' || quarter(day);

-- Units that record offers at all: where none does, "offered" is not recorded, never 100 %.
CREATE OR REPLACE TABLE offers_recorded AS
SELECT DISTINCT unit FROM occasion_fact WHERE recorded;
