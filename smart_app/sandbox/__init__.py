"""A small hospital to build against and to try IMR in: FHIR R4 store, SMART authorization server, and a chart to launch
from. It refuses what a hospital refuses. It shares no code with the application that it tests."""

from .app import create_hospital
from .clients import APP_GRANTS, BACKEND_GRANTS, Client
from .config import HospitalConfig
from .faults import FAULTS
from .hospital import Hospital, hospital_of
from .launches import Launch
from .server import RunningHospital, running_hospital, start_hospital

__all__ = [
    "APP_GRANTS",
    "BACKEND_GRANTS",
    "FAULTS",
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
