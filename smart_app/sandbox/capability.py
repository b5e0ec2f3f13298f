"""What the hospital says of itself: CapabilityStatement, SMART configuration, OpenID configuration."""

from typing import Any

from .client_assertion import ALGORITHMS
from .clients import METHODS
from .config import HospitalConfig
from .ehrs import Ehr
from .search_parameters import COMMON, PARAMETERS

_KIND = {"canonical": "reference"}
SCOPES = [
    "openid",
    "fhirUser",
    "launch",
    "launch/patient",
    "online_access",
    "offline_access",
    "patient/*.rs",
    "patient/*.cruds",
    "patient/*.read",
    "patient/*.write",
    "user/*.rs",
    "user/*.cruds",
    "system/*.cruds",
]


def capability_statement(config: HospitalConfig) -> dict[str, Any]:
    security = {
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [
                    {"url": "authorize", "valueUri": f"{config.issuer}/oauth2/authorize"},
                    {"url": "token", "valueUri": f"{config.issuer}/oauth2/token"},
                    {"url": "revoke", "valueUri": f"{config.issuer}/oauth2/revoke"},
                ],
            }
        ],
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-01",
        "kind": "instance",
        "software": {"name": "IMR on FHIR sandbox hospital"},
        "implementation": {"description": "A sandbox hospital with synthetic patients", "url": config.fhir_base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": security,
                "resource": _resources(config.manners),
                "interaction": [{"code": code} for code in sorted(config.manners.bundles, reverse=True)],
            }
        ],
    }


def _resources(ehr: Ehr) -> list[dict[str, Any]]:
    told = [(resource_type, _interactions(ehr, resource_type)) for resource_type in sorted(PARAMETERS)]
    return [_resource(ehr, resource_type, interactions) for resource_type, interactions in told if interactions]


def _interactions(ehr: Ehr, resource_type: str) -> list[str]:
    """What the statement says of a type; with ``claims`` that is more than what is done."""
    told = {
        "read": ehr.reads_type(resource_type),
        "vread": ehr.reads_type(resource_type) and ehr.versions,
        "update": ehr.takes("update", resource_type),
        "history-instance": ehr.reads_type(resource_type) and ehr.versions,
        "create": ehr.takes("create", resource_type) or resource_type in ehr.claims,
        "search-type": ehr.reads_type(resource_type),
    }
    return [code for code, said in told.items() if said]


def _resource(ehr: Ehr, resource_type: str, interactions: list[str]) -> dict[str, Any]:
    parameters = {
        "_id": "token",
        **{name: known.kind for name, known in {**COMMON, **PARAMETERS[resource_type]}.items()},
    }
    parameters = {name: kind for name, kind in parameters.items() if (resource_type, name) not in ehr.unsearchable}
    references = [name for name, known in PARAMETERS[resource_type].items() if known.kind == "reference"]
    incoming = [
        f"{source}:{name}"
        for source, known in PARAMETERS.items()
        for name, each in known.items()
        if each.kind == "reference" and source in ("Provenance", "Observation", "QuestionnaireResponse")
    ]
    return {
        "type": resource_type,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update" if ehr.versions else "no-version",
        "readHistory": ehr.versions,
        "updateCreate": ehr.client_ids,
        "conditionalCreate": ehr.conditional,
        "conditionalUpdate": ehr.conditional,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "local", "enforced"],
        "searchInclude": [f"{resource_type}:{name}" for name in references],
        "searchRevInclude": incoming,
        "searchParam": [{"name": name, "type": _KIND.get(kind, kind)} for name, kind in parameters.items()],
    }


def smart_configuration(config: HospitalConfig) -> dict[str, Any]:
    """SMART App Launch 2.2, 2.1: what a client may count on; nothing is listed that is not offered."""
    return {
        "issuer": config.issuer,
        "jwks_uri": f"{config.issuer}/oauth2/jwks",
        "authorization_endpoint": f"{config.issuer}/oauth2/authorize",
        "token_endpoint": f"{config.issuer}/oauth2/token",
        "revocation_endpoint": f"{config.issuer}/oauth2/revoke",
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "scopes_supported": list(config.manners.scopes) or SCOPES,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "capabilities": [
            "launch-ehr",
            "launch-standalone",
            "authorize-post",
            "client-public",
            "client-confidential-asymmetric",
            "client-confidential-symmetric",
            "sso-openid-connect",
            "context-banner",
            "context-ehr-patient",
            "context-standalone-patient",
            "context-ehr-encounter",
            "permission-offline",
            "permission-online",
            "permission-patient",
            "permission-user",
            "permission-v1",
            "permission-v2",
        ],
    }


def openid_configuration(config: HospitalConfig) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0, for the issuer that the id_token names."""
    shared = (
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
        "scopes_supported",
        "response_types_supported",
    )
    smart = smart_configuration(config)
    return {
        **{name: smart[name] for name in shared},
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES384"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
