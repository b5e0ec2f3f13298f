"""SECURITY E: marked words go through everything that the store does; none is in its files, its log or its errors."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from smart_app.store import Store
from smart_app.store.errors import PinRefused
from smart_app.store.filing import NewPart, Receipt
from smart_app.store.filing_states import Event
from smart_app.store.keys import Keys
from smart_app.store.launch import Context, Tokens
from tests.postgresql import Cluster
from tests.store.make import NOW, PATHS, STEPS, entry, sealing

_MARK = "CANARY"  # another than that of other tests: they share the server
WORDS = {
    name: f"{_MARK}{name.upper()}"
    for name in (
        "patient", "name", "born", "user", "sub", "fhiruser", "encounter", "access", "refresh", "renewed", "state",
        "language", "comment", "answer", "identifier", "questionnaire", "about", "body", "request", "detail", "plan",
        "reason", "candidate", "receipt", "why", "purpose", "object", "ticket", "handover", "form",
    )
}  # fmt: skip
PIN, WRONG_PIN = "94817263", "94817264"


def everything(store: Store) -> list[str]:
    """Uses every method that keeps something; returns the secrets that were handed out."""
    w = WORDS
    context = Context(
        site="sandbox", iss="https://ehr.example/fhir", fhir_base="https://ehr.example/fhir",
        issuer="https://ehr.example", patient=w["patient"], sub=w["sub"], user_name=w["user"], role="clinician",
        fhir_user=w["fhiruser"], patient_name=w["name"], birth_date=w["born"], encounter=w["encounter"],
    )  # fmt: skip
    started = store.launches.start(context, Tokens(w["access"], NOW, ("a",), w["refresh"]), [], NOW)
    launch = started.launch
    store.states.use(w["state"], NOW)
    store.states.led_to(w["state"], launch.id)
    store.launches.change(launch.id, lambda before: replace(before, plan={"goal": w["plan"]}))
    launch = store.tokens.refresh(launch, lambda _: Tokens(w["renewed"], NOW, (), w["refresh"]))
    secrets = [started.secret, store.tickets.issue("window", {"for": w["ticket"]}, NOW)]
    made = store.drafts.start(
        launch.owner, "client", questionnaire=w["questionnaire"], language=w["language"], about=w["about"],
        identifier=w["identifier"], answers={"01": w["answer"]}, now=NOW,
    )  # fmt: skip
    store.drafts.set_answers(made.id, launch.owner, {"comment": w["comment"]}, NOW)
    given = store.handovers.create(launch, made, PIN, {"name": w["handover"]}, NOW)
    opened, patient_secret = store.handovers.open(given.handover.id, NOW)
    of = store.drafts.get(made.id, opened.owner)
    part = NewPart("Observation", w["body"].encode(), {"url": w["request"]})
    full = replace(sealing(launch), parts=(part,), plan={"p": w["plan"]}, details={"d": w["detail"]}, draft=of, form="")
    audited = replace(entry(launch, "save", w["purpose"]), objects=(w["object"],))
    store.filings.seal(full, audited, NOW)
    store.handovers.submit(opened.id, NOW)
    with pytest.raises(PinRefused) as caught:
        store.handovers.unlock(launch.id, given.launch_secret, WRONG_PIN, [], NOW)
    assert WRONG_PIN not in str(caught.value)
    unlocked = store.handovers.unlock(launch.id, given.launch_secret, PIN, [], NOW)
    secrets += [given.launch_secret, patient_secret, *unlocked.secrets.values()]
    for path in PATHS.values():
        filing = store.filings.seal(
            replace(full, id=sealing(launch).id, draft=None, form=sealing(launch).form), audited, NOW
        )
        for event in path:
            if event is Event.CLASH:
                filing = store.filings.duplicate(filing, [w["candidate"]], w["reason"])
            elif event is Event.REFUSE:
                filing = store.filings.refused(filing, w["reason"], plan={"p": w["plan"]})
            elif event is Event.ACCEPTED:
                filing = store.filings.accepted(filing, [Receipt("Observation", w["receipt"], "1", 201)])
            elif event is Event.WITHDRAW:
                filing = store.filings.withdraw(filing, w["why"], launch.owner, audited, NOW)
            else:
                filing = STEPS[event](store, launch, filing)
    store.filings.seal(replace(full, id=sealing(launch).id, draft=None, form=w["form"]), audited, NOW)
    return secrets


def test_no_marked_word_is_in_the_files_or_the_log(
    path: Path, keys: Keys, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(path, keys)
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("sqlalchemy"), "level", logging.DEBUG)
    secrets = everything(store)
    words = [*WORDS.values(), PIN, WRONG_PIN, *secrets]
    files = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert set(files) == {"store.db", "store.db-wal", "store.db-shm"}
    assert len(files["store.db-wal"]) > 100_000
    for name, content in files.items():
        assert [word for word in words if word.encode() in content] == [], name
    assert "INSERT INTO draft" in caplog.text
    assert [word for word in words if word in caplog.text] == []
    store.close()
    after = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    for name, content in after.items():
        assert [word for word in words if word.encode() in content] == [], name


def test_no_marked_word_is_in_the_files_of_postgresql_or_its_log(postgresql: Cluster, keys: Keys) -> None:
    store = Store.open(postgresql.emptied(), keys)
    words = [_MARK, PIN, WRONG_PIN, *everything(store)]
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.exec_driver_sql("INSERT INTO draft (id) VALUES ('stands-in-log')")
    store.close()
    postgresql.run("CHECKPOINT")
    files = {each: each.read_bytes() for each in postgresql.folder.rglob("*") if each.is_file()}
    assert b"stands-in-log" in files[postgresql.folder / "log"]
    for name, content in files.items():
        assert [word for word in words if word.encode() in content] == [], name


def test_marked_words_did_go_through(store: Store) -> None:
    """The test above is worth nothing if a word never reached the store."""
    everything(store)
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM launch").all()
        launch = store.launches.read(store.launches.row(connection, rows[0].id))
        ids = connection.exec_driver_sql("SELECT id FROM filing").scalars().all()
        handover = store.handovers._row(connection, connection.exec_driver_sql("SELECT id FROM handover").scalar_one())
    filings = [store.filings.get(each, launch.owner) for each in ids]
    made = store.drafts.get(handover.draft_id, launch.owner)
    seen = [launch.context.as_json(), launch.tokens.as_json(), store.audit.entries()]
    seen += [store.handovers._read(handover).value, made.codes, made.comment, made.about, made.language]
    seen += [made.identifier, made.questionnaire]
    for filing in filings:
        seen += [filing.reason, filing.candidates, filing.receipts, filing.plan, filing.details]
        seen += [[part.request for part in filing.parts], store.filings.bodies(filing)]
    unseen = {name for name, word in WORDS.items() if word not in repr(seen)}
    assert unseen == {"access", "state", "ticket", "form"}  # renewed since, or kept as a hash alone
