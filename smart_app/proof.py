"""How the app proves to an EHR which client it is: by the file that the site's settings name."""

from pathlib import Path

from imr_fhir.ehr.token import ClientAuthentication, ClientSecretBasic, Public, private_key_jwt
from smart_app.config import SiteConfig


def authentication_of(site: SiteConfig, jwks: str) -> ClientAuthentication:
    """``jwks`` is where our public keys are published. Raises ValueError, as `imr-app check-config` says before."""
    if path := site.key_file or site.client_secret_file:
        return read_proof(site.client_id, site.authentication, path, jwks)
    return Public(site.client_id)


def read_proof(client_id: str, way: str, path: Path, jwks: str = "") -> ClientAuthentication:
    """Raises ValueError for a file that holds no key, or no secret."""
    content = path.read_bytes()
    if way == "private_key_jwt":
        return private_key_jwt(client_id, content, jku=jwks)
    secret = content.decode("ascii", "replace").strip()
    if not secret or not secret.isprintable() or not secret.isascii():
        raise ValueError(f"{path} holds no secret of printable ASCII characters on one line.")
    return ClientSecretBasic(client_id, secret)
