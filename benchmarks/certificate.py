"""A certificate for the stub server, and a file of those that clients trust."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def write_certificate(place: Path) -> tuple[Path, Path]:
    """Make a P-256 certificate for 127.0.0.1.

    Args:
        place: The directory for both files.

    Returns:
        The file with the certificate and its key, and the file with the authorities
        that are trusted: those of everybody, as real clients read them, and this one.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub server")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate, authorities = place / "server.pem", place / "authorities.pem"
    certificate.write_bytes(made + secret)
    everybody = Path(certifi.where()).read_bytes()
    authorities.write_bytes(everybody + b"\n" + made)
    return certificate, authorities
