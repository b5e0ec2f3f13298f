"""A small hospital to build against and to try IMR in: FHIR R4 store, SMART authorization server, and a chart to launch
from. It refuses what a hospital refuses. It shares no code with the application that it tests.

- FHIR: ``fhir_api`` (HTTP) -> ``interactions``, ``transaction`` -> ``writing``, ``search``, ``bundles`` ->
  ``fhir_store`` -> ``database``. ``search_parameters`` is the table of what can be searched, ``indexing`` and ``dates``
  read it from resources. ``references``, ``validation``, ``json_text`` and ``outcome`` say no.
- Who may: ``oauth`` (HTTP) -> ``authorize``, ``token``, ``client_assertion`` (Authlib's grants) -> ``vault``,
  ``launches``, ``keys``, ``id_token``; ``standalone`` asks for whom. ``bearer`` -> ``access`` and ``scopes`` on every
  FHIR request. ``capability`` says what is offered.
- The chart: ``chart`` -> ``records``, ``words``. ``faults`` go wrong for one launch.
  ``ehrs`` is the table of what each kind of EHR takes, ``admission`` holds every FHIR request and reply to it.
- ``config``, ``clients`` -> ``app``, ``hospital`` -> ``server``. ``seed`` loads ``data/``.
"""

from .app import create_hospital
from .clients import APP_GRANTS, BACKEND_GRANTS, Client
from .config import HospitalConfig
from .ehrs import EHRS, FLOWSHEET
from .faults import FAULTS
from .hospital import Hospital, hospital_of
from .launches import Launch
from .server import RunningHospital, running_hospital, start_hospital

__all__ = [
    "APP_GRANTS",
    "BACKEND_GRANTS",
    "EHRS",
    "FAULTS",
    "FLOWSHEET",
    "Client",
    "Hospital",
    "HospitalConfig",
    "Launch",
    "RunningHospital",
    "create_hospital",
    "hospital_of",
    "running_hospital",
    "start_hospital",
]
