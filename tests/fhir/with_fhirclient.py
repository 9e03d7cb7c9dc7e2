"""fhirclient drives the door: what it does is asked of the box at BASE with the bearer TOKEN.

Its models check each answer against R4, too: an element that R4 does not have is an error.
"""

import os

from fhirclient import client as smart
from fhirclient.models.bundle import Bundle
from fhirclient.models.condition import Condition
from fhirclient.models.patient import Patient
from fhirclient.models.practitionerrole import PractitionerRole
from fhirclient.models.schedule import Schedule
from fhirclient.server import FHIRNotFoundException
from requests import HTTPError

NUMBERS = "http://example.org/fhir/mrn"


def refused(kind, call):
    """The refusal of a call, which must be of this kind."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError("it was not refused")


signed_in = {
    "app_id": "tests",
    "server": {
        "base_uri": os.environ["BASE"] + "/",
        "auth_type": "oauth2",
        "auth": {"app_id": "tests", "access_token": os.environ["TOKEN"]},
    },
}
server = smart.FHIRClient(state=signed_in).server
statement = server.capabilityStatement
assert statement.fhirVersion == "4.0.1"
server.from_state(signed_in["server"])
assert {it.type for it in statement.rest[0].resource} >= {"Patient", "Appointment", "Slot"}

# Create, read, update.
person = {
    "resourceType": "Patient",
    "identifier": [{"system": NUMBERS, "value": "fhirclient-1"}],
    "name": [{"text": "Latha Nair", "_text": {"id": "n"}}],
    "birthDate": "1971-02-28",
}
made = Patient(person).create(server)
patient = Patient.read(made["id"], server)
assert patient.birthDate.isostring == "1971-02-28" and patient.meta.versionId == "1"
patient.gender = "female"
assert patient.update()["meta"]["versionId"] == "2"
assert Patient.read(patient.id, server).gender == "female"

# Search, with pages.
found = Patient.where({"identifier": f"{NUMBERS}|fhirclient-1"}).perform_resources(server)
assert [one.id for one in found] == [patient.id]
pages = list(Patient.where({"birthdate": "lt1980", "_count": "150"}).perform_iter(server))
assert len(pages) > 1
ids = [entry.resource.id for page in pages for entry in page.entry or []]
assert len(set(ids)) == len(ids) > 150
for role in PractitionerRole.where({}).perform_resources(server):
    assert role.practitioner.resolved is None or role.practitioner.reference
assert all(it.actor for it in Schedule.where({"_count": "5"}).perform_resources(server))

# A transaction.
urn = "urn:uuid:8b0f6f3c-5a86-4c3e-9f3a-0f0e4a0c7d10"
bundle = Bundle(
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": {"resourceType": "Condition", "subject": {"reference": urn}, "code": {"text": "Gout"}},
                "request": {"method": "POST", "url": "Condition"},
            },
            {
                "fullUrl": urn,
                "resource": person | {"identifier": [{"system": NUMBERS, "value": "fhirclient-2"}]},
                "request": {"method": "POST", "url": "Patient"},
            },
        ],
    }
)
answer = Bundle(bundle.create(server))
assert [entry.response.status[:3] for entry in answer.entry] == ["201", "201"]

# Deleted, and unknown.
gout = Condition.read(answer.entry[0].response.location.split("/")[-3], server)
gout.delete()
assert refused(HTTPError, lambda: Condition.read(gout.id, server)).response.status_code == 410
refused(FHIRNotFoundException, lambda: Condition.read("nothing", server))
