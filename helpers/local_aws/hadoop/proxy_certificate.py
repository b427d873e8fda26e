"""A certificate for the web proxy of a ResourceManager.

The ResourceManager generates a certificate at each start, even if nothing uses it. Its JVM runs without the
optimizing compiler and takes a second or more to find the primes of an RSA key. If the ResourceManager
recovers a certificate from its store, it uses that one.
"""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_VALID = timedelta(days=365)


@dataclass(frozen=True)
class ProxyCertificate:
    """A certificate and its private key (PKCS #8) in DER."""

    certificate: bytes
    private_key: bytes


@functools.cache
def proxy_certificate() -> ProxyCertificate:
    """Return the certificate of this process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ResourceManager")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now,
        not_valid_after=now + _VALID,
    ).sign(key, SHA256())
    return ProxyCertificate(
        certificate.public_bytes(Encoding.DER),
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )
