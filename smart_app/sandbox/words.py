"""The chart's own words, English and bokmål."""

from collections.abc import Mapping

from flask import Request

LANGUAGES = ("en", "nb")

WORDS: Mapping[str, tuple[str, str]] = {
    "hospital": ("North Hospital", "Sykehuset Nord"),
    "sandbox": ("A sandbox: no real person stands in it.", "En prøveavdeling: ingen virkelige personer står her."),
    "answers_as": (
        "To applications it answers as this EHR does:",
        "Til applikasjoner svarer den som dette journalsystemet:",
    ),
    "patients": ("Patients", "Pasienter"),
    "find": ("Find by name", "Finn etter navn"),
    "search": ("Search", "Søk"),
    "name": ("Name", "Navn"),
    "born": ("Born", "Født"),
    "number": ("Number", "Nummer"),
    "none": ("Nothing recorded.", "Ikke noe registrert."),
    "nobody": ("No patient has this name.", "Ingen pasient har dette navnet."),
    "user": ("Logged in as", "Logget inn som"),
    "the_patient": ("The patient", "Pasienten selv"),
    "choose": ("Who are you, and which patient is this about?", "Hvem er du, og hvilken pasient gjelder det?"),
    "patient": ("Patient", "Pasient"),
    "log_in": ("Log in", "Logg inn"),
    "open_frame": ("Open IMR in the chart", "Åpne IMR i journalen"),
    "open_tab": ("Open IMR in a tab of its own", "Åpne IMR i egen fane"),
    "close_frame": ("Close IMR", "Lukk IMR"),
    "frame": ("IMR for this patient", "IMR for denne pasienten"),
    "faults": ("Faults", "Feil"),
    "faults_why": (
        "For trying how the application copes. They hold for the next launch only.",
        "For å prøve hvordan applikasjonen klarer seg. De gjelder bare neste oppstart.",
    ),
    "courses": ("Courses of treatment", "Forløp"),
    "conditions": ("Diagnoses", "Diagnoser"),
    "encounters": ("Latest contacts", "Siste kontakter"),
    "written": ("What IMR has written in this record", "Dette har IMR skrevet i journalen"),
    "what": ("What", "Hva"),
    "status": ("Status", "Status"),
    "saved": ("Saved", "Lagret"),
    "version": ("Version", "Versjon"),
    "show_all": ("Show all", "Vis alle"),
    "back": ("Back to the chart", "Tilbake til journalen"),
    "to_list": ("All patients", "Alle pasienter"),
    "refused": ("The hospital refused to let the application in", "Sykehuset slapp ikke applikasjonen inn"),
    "missing": ("This is not in the hospital's records", "Dette finnes ikke i sykehusets journaler"),
}


def language_of(request: Request) -> str:
    """``?lang=`` before the browser's preference; "en" where neither says."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    for wanted in request.accept_languages.values():
        if wanted[:2] in ("nb", "no", "nn"):
            return "nb"
        if wanted[:2] == "en":
            break
    return "en"


def words(language: str) -> dict[str, str]:
    index = LANGUAGES.index(language)
    return {key: texts[index] for key, texts in WORDS.items()}
