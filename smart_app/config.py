"""Settings of the app and of each site; the comment beside a setting is its manual. config_file.py reads them."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, Literal

from marshmallow import fields, validate
from sqlalchemy.engine import URL

from imr_fhir.ehr.scopes import WRITTEN

CODE = validate.Regexp(r"[^\s|]+\|[^\s|]+\Z", error="Not a code as system|code.")
_TIME_ZONE = validate.OneOf(zoneinfo.available_timezones(), error="Not a time zone by its name in the tz database.")
ID_TOKEN_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384")


class Strings(fields.List[Any]):
    """A list of strings, kept as a tuple because settings never change."""

    def __init__(self, inner: fields.Field[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(inner or fields.String(), **kwargs)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(*args, **kwargs))


def setting(field: fields.Field[Any], comment: str, line: str) -> Any:
    """A dataclass field that carries its marshmallow field, its one comment and a line to copy."""
    metadata = {"field": field, "comment": comment, "line": line}
    if field.required:
        return dataclass_field(metadata=metadata)
    if isinstance(field.load_default, dict):
        return dataclass_field(default_factory=dict, metadata=metadata)
    return dataclass_field(default=field.load_default, metadata=metadata)


def _text(**kwargs: Any) -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1, max=200), **kwargs)


@dataclass(frozen=True, kw_only=True)
class SiteConfig:
    """One hospital; ``name`` is the key of its table and stands in its callback address."""

    name: str
    organization: str = setting(_text(), "As patients know it; stands in the header.", 'organization = "Nordlys"')
    phone: str = setting(
        _text(),
        "The unit's number for somebody who needs help now; shown on each form.",
        'phone = "+47 00 00 00 00"',
    )
    iss: str = setting(
        _text(),
        "The FHIR base address, exactly as the EHR sends it as `iss`; no other is ever called.",
        'iss = "https://ehr.hospital.example/fhir"',
    )
    client_id: str = setting(_text(), "As the EHR registered this app.", 'client_id = "imr-on-fhir"')
    authentication: Literal["public", "private_key_jwt", "client_secret_basic"] = setting(
        fields.String(
            load_default="public", validate=validate.OneOf(("public", "private_key_jwt", "client_secret_basic"))
        ),
        "How the app shows the EHR who it is; private_key_jwt needs key_file, client_secret_basic client_secret_file.",
        'authentication = "private_key_jwt"',
    )
    key_file: Path | None = setting(  # noqa: RUF009 -- setting() makes a field
        fields.String(load_default=None),
        "A private key in PEM (RSA of 2048 bits or more, or EC P-384), readable by the app alone (mode 0600).",
        'key_file = "nordlys.pem"',
    )
    client_secret_file: Path | None = setting(  # noqa: RUF009 -- setting() makes a field
        fields.String(load_default=None),
        "A text file with the secret that the EHR gave and nothing else, readable by the app alone (mode 0600).",
        'client_secret_file = "nordlys.secret"',
    )
    scopes: str = setting(
        fields.String(load_default="", validate=validate.Regexp(r"([^\s\"\\]+( [^\s\"\\]+)*)?\Z")),
        "What the app asks for, with a blank between, instead of what its screens need. The EHR may grant less.",
        'scopes = "launch openid fhirUser patient/*.rs"',
    )
    authorize_by_post: bool = setting(
        fields.Boolean(load_default=False, truthy={True}, falsy={False}),
        "The request for a log-in is posted as a form, never an address; long ones are where the EHR offers it.",
        "authorize_by_post = true",
    )
    allowed_hosts: tuple[str, ...] = setting(
        Strings(load_default=()),
        "Origins of authorize, token, JWKS, revoke and log-in pages where they differ from that of iss.",
        'allowed_hosts = ["https://login.hospital.example"]',
    )
    extra_headers: Mapping[str, str] = setting(
        fields.Dict(fields.String(), fields.String(), load_default={}),
        "Headers that this EHR wants on each call, such as a subscription key.",
        'extra_headers = { "Ocp-Apim-Subscription-Key" = "..." }',
    )
    frame_ancestors: tuple[str, ...] = setting(
        Strings(load_default=()),
        "Who may show the app in a frame: https://host[:port] or https://*.host. None: in a tab only.",
        'frame_ancestors = ["https://ehr.hospital.example"]',
    )
    ca_file: Path | None = setting(  # noqa: RUF009 -- setting() makes a field
        fields.String(load_default=None),
        "Certificate authorities in PEM instead of the public ones, where the hospital issues its certificates itself.",
        'ca_file = "/etc/imr/hospital-ca.pem"',
    )
    id_token_algorithms: tuple[str, ...] = setting(
        Strings(
            fields.String(validate=validate.OneOf(ID_TOKEN_ALGORITHMS)),
            load_default=("RS256", "RS384", "ES256", "ES384"),
            validate=validate.Length(min=1),
        ),
        "Signatures of id_tokens that are believed.",
        'id_token_algorithms = ["RS256"]',
    )
    time_zone: str = setting(
        fields.String(load_default="Europe/Oslo", validate=_TIME_ZONE),
        "Days, due dates and months are worked out in it.",
        'time_zone = "Europe/Oslo"',
    )
    allow_unverified_clinician_scale: bool = setting(
        fields.Boolean(load_default=False, truthy={True}, falsy={False}),
        "The clinician scale's wording awaits a check against the booklet; true files it, marked.",
        "allow_unverified_clinician_scale = true",
    )
    profiles_loaded: bool = setting(
        fields.Boolean(load_default=False, truthy={True}, falsy={False}),
        "True once the project's profiles are in this EHR: resources then name them in meta.profile.",
        "profiles_loaded = true",
    )
    security_labels: tuple[str, ...] = setting(
        Strings(fields.String(validate=CODE), load_default=()),
        "meta.security of what is filed, as system|code: answers about substances are sensitive.",
        'security_labels = ["http://terminology.hl7.org/CodeSystem/v3-ActCode|ETH"]',
    )
    never_write: tuple[str, ...] = setting(
        Strings(fields.String(validate=validate.OneOf(WRITTEN)), load_default=()),
        f"Resource types that are not written here, whatever the EHR says that it takes: {', '.join(WRITTEN)}.",
        'never_write = ["Goal", "AuditEvent"]',
    )
    observation_shape: Literal["components", "members", "flat"] = setting(
        fields.String(load_default="components", validate=validate.OneOf(("components", "members", "flat"))),
        "A score as one Observation with components, as one with members, or flat: one for each figure of flat_codes.",
        'observation_shape = "members"',
    )
    flat_codes: Mapping[str, str] = setting(
        fields.Dict(fields.String(), fields.String(validate=CODE), load_default={}),
        "This EHR's code for a figure: client- or clinician- and mean, sum, rated or the item's number from 01 to 15.",
        'flat_codes = { client-mean = "urn:oid:1.2.3.4|31001", client-01 = "urn:oid:1.2.3.4|31002" }',
    )
    document_format: Literal["text", "pdf"] = setting(
        fields.String(load_default="text", validate=validate.OneOf(("text", "pdf"))),
        "What a document is where the EHR takes documents only; pdf is made by WeasyPrint, which is an extra.",
        'document_format = "text"',
    )
    document_type: str = setting(
        fields.String(load_default="http://loinc.org|74465-6", validate=CODE),
        "The document's type as system|code, as this hospital files such notes.",
        'document_type = "http://loinc.org|74465-6"',
    )
    course_episode_types: tuple[str, ...] = setting(
        Strings(fields.String(validate=CODE), load_default=()),
        "EpisodeOfCare.type of a course of IMR, as system|code; none: each of the patient's episodes of care is one.",
        'course_episode_types = ["urn:oid:1.2.3.5|IMR"]',
    )
    record_link: str = setting(
        fields.String(load_default="", validate=validate.Regexp(r"(https?://[^\s]+\{type\}[^\s]*\{id\}[^\s]*)?\Z")),
        "Where a person sees one resource in the EHR, with {type} and {id}: receipts link to it.",
        'record_link = "https://ehr.hospital.example/record/{type}/{id}"',
    )
    pair_window_days: int = setting(
        fields.Integer(load_default=28, strict=True, validate=validate.Range(1, 60)),
        "A client's and a clinician's rating at most so many days apart are shown as one pair.",
        "pair_window_days = 28",
    )

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


@dataclass(frozen=True, kw_only=True)
class AppConfig:
    """The app itself and its sites by name."""

    sites: Mapping[str, SiteConfig]
    demo: bool = setting(
        fields.Boolean(load_default=False, truthy={True}, falsy={False}),
        "Allows http, on this machine's loopback only. Never for a hospital.",
        "demo = true",
    )
    public_url: str = setting(
        _text(),
        "The app's own origin as browsers see it: its callback addresses and the Origin of its forms.",
        'public_url = "https://imr.hospital.example"',
    )
    trusted_hosts: tuple[str, ...] = setting(
        Strings(load_default=()),
        "More names that a Host header may have, such as the one that a health probe uses.",
        'trusted_hosts = ["10.0.0.7"]',
    )
    bind: str = setting(
        fields.String(load_default="127.0.0.1:8480", validate=validate.Regexp(r"[^\s:]+:\d{1,5}\Z")),
        "Where the app listens; TLS ends in a proxy before it.",
        'bind = "127.0.0.1:8480"',
    )
    proxy_hops: int = setting(
        fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 5)),
        "How many proxies of yours add X-Forwarded-*; headers beyond that number are not believed.",
        "proxy_hops = 1",
    )
    threads: int = setting(
        fields.Integer(load_default=16, strict=True, validate=validate.Range(2, 200)),
        "Requests answered side by side. With one site at most half wait for its EHR, with two a third for each.",
        "threads = 16",
    )
    store: Path | URL = setting(  # noqa: RUF009 -- setting() makes a field
        fields.String(required=True, validate=validate.Length(min=1)),
        "Sessions, drafts, what is not yet filed, audit: a SQLite file on a local disk, in a directory 0700; or for "
        "several app processes a PostgreSQL database, its password in a passfile (postgresql://imr@db/imr?passfile=/etc/...).",
        'store = "/var/lib/imr/imr.sqlite"',
    )
    keys: Path = setting(  # noqa: RUF009 -- setting() makes a field
        fields.String(required=True, validate=validate.Length(min=1)),
        "Keys of what is in the store, made by `imr-app keys make`; in another directory 0700 and another backup.",
        'keys = "/etc/imr/keys/imr.keys"',
    )
    log_level: str = setting(
        fields.String(load_default="INFO", validate=validate.OneOf(("DEBUG", "INFO", "WARNING"))),
        "How much is logged, never with patients' data.",
        'log_level = "INFO"',
    )
