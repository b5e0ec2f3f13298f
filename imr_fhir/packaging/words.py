"""The words around a Questionnaire on its page, in the languages in which there is one."""

from collections.abc import Mapping

LANGUAGES = ("en", "nb")

# How a language is called, in each; one that is not here goes by its code.
NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {"en": "English", "nb": "Bokmål", "nn": "Nynorsk"},
    "nb": {"en": "Engelsk", "nb": "Bokmål", "nn": "Nynorsk"},
}

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "all": "All pages",
        "contents": "On this page",
        "about": "What it is",
        "client": "Answered by the patient, about themselves: 15 questions, each with five answers from 1 to 5, where "
        "higher is better. In the programme Illness Management and Recovery (IMR) it is filled in about every three "
        "months.",
        "clinician": "Filled in by the clinician, about the patient: the same 15 matters as the patient's own scale, "
        "each from 1 to 5, where higher is better. The two stand side by side as something to talk about; they are "
        "never averaged.",
        "not-for-risk": "It asks nothing of suicide or violence: the answers say nothing of that risk.",
        "trust": "What is checked and what is not",
        "wording": "Wording in English",
        "verified": "Checked: all 15 questions and 75 answers were compared with the copy that the US Department of "
        "Veterans Affairs distributes.",
        "unverified": "Not checked: reconstructed in parallel to the patient's own scale, and not yet compared with "
        "SAMHSA's printed booklet. A draft, for trials of this software only.",
        "wording-in": "Wording in {language}",
        "draft": "Draft, not validated",
        "reviewed": "Reviewed, not validated",
        "validated": "Validated",
        "nothing-said": "Nothing is said of how it was made: treat it as not validated",
        "said-by": "Said by {by}, {on}.",
        "made-so": "How it was made:",
        "not-comparable": "Answers given in two languages are not compared with each other.",
        "scoring": "How it is scored",
        "rule-mean": "The score is the mean of the questions that have a rating, with two decimals. Beside it stand "
        "the sum and the number of questions rated.",
        "rule-direction": "Every question runs from 1 to 5, and higher is better. Nothing is turned round or weighted.",
        "rule-na": "Question 13 can be answered “{na}”. It then has no rating, and 14 questions count: the sum runs "
        "from 14 to 70 instead of 15 to 75.",
        "rule-missing": "There is a score only when all 15 questions are answered. For missing answers no rule is "
        "published, so nothing is filled in; each answer is shown all the same.",
        "rule-subscales": "There are no subscales: published factor structures differ, and no list of their questions "
        "could be verified.",
        "questions": "The questions",
        "introduction": "Introduction",
        "question": "Question",
        "rating": "Rating",
        "no-rating": "none",
        "code": "Code",
        "comment": "Comment",
        "comment-help": "In the person's own words, up to {max} characters. It can be left empty.",
        "sources": "Sources and terms",
        "source-scale": "Mueser, Gingerich, Salyers, McGuire, Reyes and Cunningham (2004): Illness Management and "
        "Recovery Scales.",
        "source-change": "Whether a change is more than measurement uncertainty usually gives is worked out after "
        "Jacobson and Truax (1991), for one person between two ratings by the same rater. It rests on the spread of "
        "the sum between persons, SD {sd} (n = {sd_n}; {sd_source}), and on the agreement of two ratings two weeks "
        "apart, r = {r} (n = {r_n}; {r_source}). These come from different samples, and not from this translation.",
        "terms": "Terms, as they stand in the Questionnaire",
        "technical": "For whoever sets it up",
        "canonical": "Canonical and version",
        "status": "Status",
        "active": "Active",
        "status-draft": "Draft",
        "experimental": "experimental",
        "codes": "Codes of the answers",
        "link-ids": "linkIds",
        "link-ids-say": "Group imr with 01 to 15; comment; group score with sum, rated and mean.",
        "hash": "Content hash (SHA-256, without id, meta and text)",
        "expressions": "Score expressions (FHIRPath)",
        "made": "Made from the Questionnaire {canonical} by imr-fhir package.",
    },
    "nb": {
        "all": "Alle sider",
        "contents": "På denne siden",
        "about": "Hva det er",
        "client": "Besvares av pasienten, om seg selv: 15 spørsmål med fem svar hver, fra 1 til 5, der høyere er "
        "bedre. I programmet Illness Management and Recovery (IMR) fylles skjemaet ut omtrent hver tredje måned.",
        "clinician": "Fylles ut av behandleren, om pasienten: de samme 15 temaene som i pasientens egen skala, hvert "
        "fra 1 til 5, der høyere er bedre. De to står side om side som noe å snakke om; det regnes aldri gjennomsnitt "
        "av dem.",
        "not-for-risk": "Det spør ikke om selvmord eller vold: Svarene sier ingenting om den risikoen.",
        "trust": "Hva som er kontrollert, og hva som ikke er det",
        "wording": "Ordlyd på engelsk",
        "verified": "Kontrollert: Alle 15 spørsmål og 75 svar er sammenlignet med utgaven som det amerikanske "
        "Department of Veterans Affairs distribuerer.",
        "unverified": "Ikke kontrollert: rekonstruert parallelt med pasientens egen skala, og ennå ikke sammenlignet "
        "med det trykte heftet fra SAMHSA. Et utkast, bare for utprøving av denne programvaren.",
        "wording-in": "Ordlyd på {language}",
        "draft": "Utkast, ikke validert",
        "reviewed": "Gjennomlest, ikke validert",
        "validated": "Validert",
        "nothing-said": "Det står ikke hvordan den er laget: Regn den som ikke validert",
        "said-by": "Oppgitt av {by}, {on}.",
        "made-so": "Slik er den laget (på engelsk):",
        "not-comparable": "Svar som er gitt på to språk, sammenlignes ikke med hverandre.",
        "scoring": "Slik regnes skåren ut",
        "rule-mean": "Skåren er gjennomsnittet av spørsmålene som er vurdert, med to desimaler. Ved siden av står "
        "summen og antallet vurderte spørsmål.",
        "rule-direction": "Hvert spørsmål går fra 1 til 5, og høyere er bedre. Ingenting snus eller vektes.",
        "rule-na": "Spørsmål 13 kan besvares med «{na}». Da er det ikke vurdert, og 14 spørsmål teller: Summen går fra "
        "14 til 70 i stedet for fra 15 til 75.",
        "rule-missing": "Det blir bare en skår når alle 15 spørsmål er besvart. For svar som mangler, er ingen regel "
        "publisert, så ingenting fylles inn; hvert svar vises likevel.",
        "rule-subscales": "Det finnes ingen delskalaer: Publiserte faktorstrukturer er ulike, og ingen liste over "
        "spørsmålene i dem lot seg kontrollere.",
        "questions": "Spørsmålene",
        "introduction": "Innledning",
        "question": "Spørsmål",
        "rating": "Verdi",
        "no-rating": "ingen",
        "code": "Kode",
        "comment": "Kommentar",
        "comment-help": "Med personens egne ord, inntil {max} tegn. Feltet kan stå tomt.",
        "sources": "Kilder og vilkår",
        "source-scale": "Mueser, Gingerich, Salyers, McGuire, Reyes og Cunningham (2004): Illness Management and "
        "Recovery Scales.",
        "source-change": "Om en endring er større enn måleusikkerhet vanligvis gir, regnes ut etter Jacobson og Truax "
        "(1991), for én person mellom to utfyllinger av samme vurderer. Det bygger på spredningen av summen mellom "
        "personer, SD {sd} (n = {sd_n}; {sd_source}), og på samsvaret mellom to utfyllinger med to ukers mellomrom, "
        "r = {r} (n = {r_n}; {r_source}). Tallene kommer fra ulike utvalg, og ikke fra denne oversettelsen.",
        "terms": "Vilkårene, slik de står i Questionnaire-ressursen",
        "technical": "For den som setter det opp",
        "canonical": "Kanonisk adresse og versjon",
        "status": "Status",
        "active": "Aktiv",
        "status-draft": "Utkast",
        "experimental": "eksperimentell",
        "codes": "Kodeverk for svarene",
        "link-ids": "linkId-er",
        "link-ids-say": "Gruppen imr med 01 til 15; comment; gruppen score med sum, rated og mean.",
        "hash": "Innholdssum (SHA-256, uten id, meta og text)",
        "expressions": "Uttrykk for skåren (FHIRPath)",
        "made": "Laget av Questionnaire {canonical} med imr-fhir package.",
    },
}
