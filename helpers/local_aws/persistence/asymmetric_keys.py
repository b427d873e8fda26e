"""Pickles the asymmetric keys and certificates of KMS, ACM and Cognito in cryptography's own formats."""

from collections.abc import Callable
from typing import Any

from cryptography import x509

# The concrete classes, for which pickle looks up a reducer: the public classes are interfaces.
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def _certificate(der: bytes) -> Any:
    return x509.load_der_x509_certificate(der)


def _private_key(der: bytes) -> Any:
    return serialization.load_der_private_key(der, None)


def _public_key(der: bytes) -> Any:
    return serialization.load_der_public_key(der)


def _reduce_private_key(key: Any) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _private_key, (key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)


def _reduce_public_key(key: Any) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _public_key, (key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),)


def _reduce_certificate(certificate: Any) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _certificate, (certificate.public_bytes(Encoding.DER),)


KEY_REDUCERS: dict[type, Callable[[Any], Any]] = {
    openssl.rsa.RSAPrivateKey: _reduce_private_key,
    openssl.rsa.RSAPublicKey: _reduce_public_key,
    openssl.ec.ECPrivateKey: _reduce_private_key,
    openssl.ec.ECPublicKey: _reduce_public_key,
    x509.Certificate: _reduce_certificate,
}
