"""The searches that both servers are asked, each in the record of one patient, counting."""

SEARCHES = {
    "Observation": (
        "_id={O}", "code=a", "code=urn:c|a", "code=|a", "code=urn:c|", "code=urn:c|b,zzz", "code=urn:c|a&code=urn:c|b",
        "code=zzz", "status=final", "status:not=final", "subject=Patient/{P}", "subject={P}", "subject:Patient={P}",
        "patient=Patient/{P},Patient/zzz", "date=2026-03", "date=2026", "date=2026-03-05", "date=2026-03-05T09:00:00Z",
        "date=gt2026-03-01", "date=gt2026-03-05", "date=lt2026-03-01", "date=lt2026-03-05T09:00:00Z",
        "date=ge2026-03-05", "date=le2026-03-05", "date=ge2026-03",
        "date=le2026-03", "date=sa2026-02", "date=eb2026-04",
        "date=ne2026-03", "date=ge2026-03-01&date=le2026-03-05", "date=ap2026-03", "date=2026-13", "category=",
        "category:missing=true", "category:missing=false", "identifier=urn:o|{RUN}-one", "_lastUpdated=ge2026-01-01",
        "_lastUpdated=lt2026-01-01", "foo=1", "_include=Observation:foo", "_count=0", "_sort=foo", "code:wrong=a",
    ),
    "QuestionnaireResponse": (
        "questionnaire=https://x.example/q/{RUN}", "questionnaire=https://x.example/q/{RUN}|1.0",
        "questionnaire=https://x.example/q/{RUN}|1.0,https://x.example/q/{RUN}|2.0",
        "questionnaire=https://x.example/q/{RUN}|3.0", "authored=2026-03-05", "authored=gt2026-03-05",
    ),
}  # fmt: skip
