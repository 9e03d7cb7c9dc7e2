"""fhirpy drives the door: what it does is asked of the box at BASE with the bearer TOKEN."""

import os

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

NUMBERS = "http://example.org/fhir/mrn"
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


def refused(kind, call):
    """The refusal of a call, which must be of this kind."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError("it was not refused")


client = SyncFHIRClient(os.environ["BASE"], authorization=f"Bearer {os.environ['TOKEN']}")
patients = client.resources("Patient")


def new_patient(number):
    return client.resource(
        "Patient",
        identifier=[{"system": NUMBERS, "value": number}],
        name=[{"family": "Rao", "given": ["Sunil"]}],
        birthDate="1990-11",
    )


# Create, read, update.
made = new_patient("fhirpy-1")
made.save()
assert made["meta"]["versionId"] == "1"
read = patients.search(identifier=f"{NUMBERS}|fhirpy-1").get()
assert read.serialize() == made.serialize()
made["gender"] = "male"
made.save()
assert made["meta"]["versionId"] == "2"
assert made.refresh()["gender"] == "male"
assert client.get("Patient", made.id)["id"] == made.id

# A page after the other, and how many there are.
females = patients.search(gender="female")
everybody = females.limit(200).fetch_all()
assert len({one.id for one in everybody}) == len(everybody) == females.count() > 500

# Get or create: the second time it is there.
condition = client.resource(
    "Condition",
    identifier=[{"system": NUMBERS, "value": "c-1"}],
    subject=made.to_reference(),
    code={"text": "Asthma"},
)
conditions = client.resources("Condition").search(identifier=f"{NUMBERS}|c-1")
first, is_new = conditions.get_or_create(condition)
assert is_new
second, is_new = conditions.get_or_create(condition)
assert not is_new and second.id == first.id
condition["code"] = {"text": "Bronchial asthma"}
third, is_new = conditions.update(condition)
assert not is_new and third.id == first.id and third["code"]["text"] == "Bronchial asthma"

# References are followed, includes come along.
assert third["subject"].to_resource().id == made.id
found = client.resources("Condition").search(patient=made.id).include("Condition", "patient").fetch_raw()
assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "include"]

# A stale version, somebody unknown, what was deleted.
stale = {"If-Match": 'W/"1"'}
refused(
    MultipleResourcesFound,  # fhirpy's name for 412
    lambda: client._do_request("put", f"Patient/{made.id}", data=made.serialize(), extra_headers=stale),
)
refused(ResourceNotFound, lambda: client.get("Patient", "nobody"))
third.delete()
refused(ResourceNotFound, lambda: client.get("Condition", first.id))
nameless = client.resource("Patient", name=[{"family": 5}])
error = refused(OperationOutcome, nameless.save)
assert error.resource["issue"][0]["expression"] == ["Patient.name[0].family"]

# A transaction.
bundle = client.resource(
    "Bundle",
    type="transaction",
    entry=[
        {
            "fullUrl": "urn:uuid:4f3ba0b2-92d5-4c1a-a1b6-0a1d2c3e4f50",
            "resource": new_patient("fhirpy-2").serialize(),
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={NUMBERS}|fhirpy-2"},
        },
        {
            "resource": {
                "resourceType": "AllergyIntolerance",
                "patient": {"reference": "urn:uuid:4f3ba0b2-92d5-4c1a-a1b6-0a1d2c3e4f50"},
                "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
                "code": {"text": "Penicillin"},
            },
            "request": {"method": "POST", "url": "AllergyIntolerance"},
        },
    ],
)
answer = client.execute("", data=bundle.serialize())
assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "201"]
again = client.execute("", data=bundle.serialize())
assert [entry["response"]["status"][:3] for entry in again["entry"]] == ["200", "201"]
allergies = client.resources("AllergyIntolerance").search(patient__identifier=f"{NUMBERS}|fhirpy-2")
assert len(allergies.fetch_all()) == 2
