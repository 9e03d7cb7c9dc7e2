"""Signs webhooks with programs that share no code with the crate: the `twilio` and `standardwebhooks` packages, and openssl.

With `--write` it writes vectors/signatures.json, which the crate's tests verify. Without, it makes the signatures
anew and compares: tests/fhir/signatures.test.mjs runs it so. By hand it takes
`pip install twilio standardwebhooks cryptography` and the openssl program.
"""

import base64
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import urllib.parse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator, get_signature_algorithm

FILE = pathlib.Path(__file__).parent / "vectors" / "signatures.json"
FORM = "application/x-www-form-urlencoded"


class Fields:
    """A form with names that come more than once, as Django hands it over."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __iter__(self):
        return iter([name for name, _ in self.pairs])

    def __len__(self):
        return len(self.pairs)

    def getlist(self, wanted):
        return [value for name, value in self.pairs if name == wanted]


def twilio(name, pairs, url, signed_url=None, secret="12345", settings=None, content_type=FORM):
    algorithm = get_signature_algorithm(settings)
    signature = RequestValidator(secret).compute_signature(signed_url or url, Fields(pairs), algorithm)
    assert RequestValidator(secret).validate(url, Fields(pairs), signature, algorithm), name
    return {
        "scheme": "twilio", "name": name, "secret": secret, "url": url, "settings": settings,
        "content_type": content_type, "body": urllib.parse.urlencode(pairs), "signature": signature,
    }


def twilio_json(name, body, url, secret="12345"):
    joint = "&" if "?" in url else "?"
    url = f"{url}{joint}bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = RequestValidator(secret).compute_signature(url, {})
    assert RequestValidator(secret).validate(url, body, signature), name
    return {
        "scheme": "twilio", "name": name, "secret": secret, "url": url, "settings": None,
        "content_type": "application/json", "body": body, "signature": signature,
    }


def meta(name, body, secret):
    signed = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", secret], input=body.encode(), capture_output=True, check=True
    )
    signature = "sha256=" + signed.stdout.decode().split("= ")[1].strip()
    return {"scheme": "meta", "name": name, "secret": secret, "body": body, "signature": signature}


def standard(name, body, secret, others="", key=None):
    id, at = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", 1_674_087_231
    time = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    if key is None:
        signature = Webhook(secret).sign(id, time, body)
    else:
        signature = "v1a," + base64.b64encode(key.sign(f"{id}.{at}.{body}".encode())).decode()
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        secret = "whpk_" + base64.b64encode(public).decode()
    return {
        "scheme": "standard", "name": name, "secret": secret, "id": id, "timestamp": str(at),
        "body": body, "signature": others + signature,
    }


def cases():
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    digits = [
        ("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234"),
        ("From", "+14158675309"), ("To", "+18005551212"),
    ]
    whatsapp = [
        ("SmsMessageSid", "SM0001"), ("Body", "kal subah 10 baje? नमस्ते + &=é"), ("NumMedia", "0"), ("ProfileName", ""),
        ("From", "whatsapp:+919844111173"), ("To", "whatsapp:+14155238886"), ("AccountSid", "AC0001"),
    ]
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    unpadded = base64.b64encode(bytes(range(25))).decode().rstrip("=")
    body = '{"call_id":"c-1","transcript":"नमस्ते"}'
    hook = "https://hub.example/api/v1/prm/webhooks/whatsapp/twilio"
    return [
        twilio("the example of Twilio's documentation", digits, url),
        twilio("signed with the port, called without", digits, url, url.replace(".com", ".com:443")),
        twilio("signed without the port, called with it", digits, url.replace(".com", ".com:443"), url),
        twilio("plain HTTP signed with its port", digits, "http://h.example/a", "http://h.example:80/a"),
        twilio("a message of WhatsApp", whatsapp, hook),
        twilio("one name with three values, two of them the same", [("a", "2"), ("a", "1"), ("a", "2"), ("A", "")], hook),
        twilio("no fields", [], hook),
        twilio("a shared key and SHA-256", whatsapp, hook, settings="key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"),
        twilio("a shared key and SHA-1", whatsapp, hook, settings="key=webhooks_sharedkey_1, algorithm=HMAC_SHA1"),
        twilio_json("JSON", '{"CallSid":"CA1"}', "https://hub.example/a?b=c"),
        meta("a message", '{"object":"whatsapp_business_account","entry":[]}', "app-secret"),
        meta("escaped as Meta escapes", '{"name":"Ren\\u00e9 \\/ \\u0040"}', "app-secret"),
        meta("nothing", "", "app-secret"),
        standard("a secret", body, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        standard("a secret without its padding", body, "whsec_" + unpadded),
        standard("a secret without its prefix", body, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        standard("the second of two signatures", body, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,AAAA v2,BBBB "),
        standard("an Ed25519 key", body, None, "v1,AAAA ", key),
    ]


def main():
    made = json.dumps(cases(), indent=1, ensure_ascii=False) + "\n"
    if "--write" in sys.argv:
        FILE.write_text(made)
        return
    assert FILE.read_text() == made, f"{FILE} is not what these signers make"
    print(f"{len(cases())} signatures are the same")


if __name__ == "__main__":
    main()
