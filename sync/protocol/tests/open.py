"""Opens vectors/envelope.txt with implementations that share no code with the crate.

tests/fhir/envelope.test.mjs runs it; by hand it takes `pip install pyhpke cbor2 zstandard cryptography`. It prints
what it read, and ends with an exception if anything is not as the layout says.
"""

import hashlib
import pathlib

import cbor2
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

HERE = pathlib.Path(__file__).parent
DICTIONARY = HERE.parent / "src" / "envelope" / "dictionary" / "1.zdict"
LABEL = b"carepost-envelope-1"
KINDS = ["bundle", "receipt", "loans up", "loans down", "requests", "taken", "message in", "message out", "reply"]


def key_id(public):
    return hashlib.sha256(public).digest()[:8]


def open_envelope(envelope, opening_key, verifying_key):
    parts = cbor2.loads(envelope)
    assert list(parts) == list(range(13)), "thirteen keys in ascending order"
    assert parts[0] == 1, "version"
    assert cbor2.dumps(parts, canonical=True) == envelope, "the deterministic encoding"
    assert parts[7] == key_id(verifying_key), "the sender's key"
    signed = envelope[:-67]
    Ed25519PublicKey.from_public_bytes(verifying_key).verify(parts[12], LABEL + b"\0" + signed)

    # The entries before `enc`: its entry is the key, a head of two bytes and 32 bytes.
    aad = envelope[: envelope.index(b"\x0a\x58\x20" + parts[10])]
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
    secret = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(opening_key))
    frame = suite.create_recipient_context(parts[10], secret, LABEL).open(parts[11], aad)
    packed_with = zstandard.ZstdCompressionDict(DICTIONARY.read_bytes()) if parts[9] == 1 else None
    unpacker = zstandard.ZstdDecompressor(dict_data=packed_with, max_window_size=1 << 20)
    body = unpacker.decompress(frame, max_output_size=16 << 20)
    return parts, body


def main():
    lines = (HERE / "vectors" / "envelope.txt").read_text().splitlines()
    vector = {name: bytes.fromhex(value) for name, value in (line.split(" = ") for line in lines)}
    for name, dictionary in [("envelope", 0), ("envelope_with_dictionary", 1)]:
        parts, body = open_envelope(vector[name], vector["opening_key"], vector["verifying_key"])
        assert body == vector["body"], "the body"
        assert parts[8] == key_id(vector["sealing_key"]), "the receiver's key"
        assert parts[9] == dictionary, "the dictionary"
        print(f"{name}: a {KINDS[parts[1] - 1]} after {parts[5]} through {parts[6]}: {body.decode()}")

    forged = bytearray(vector["envelope"])
    forged[70] ^= 1
    try:
        open_envelope(bytes(forged), vector["opening_key"], vector["verifying_key"])
        raise SystemExit("a changed envelope was opened")
    except (InvalidSignature, AssertionError):
        pass


if __name__ == "__main__":
    main()
