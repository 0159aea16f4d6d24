"""Managers whose certificates only their own authority knows (wire/cloudify.md 1.4)."""

import shutil
import ssl
import subprocess

import pytest
from aiohttp import web

from aioruns.errors import InvalidInput, NotSent
from aioruns.http.retry import RetryPolicy
from aioruns.platforms.cloudify import Cloudify
from aioruns.session import Session


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate that signs itself, as a manager makes one, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificates, and is not installed")
    home = tmp_path_factory.mktemp("tls")
    cert, key = home / "ca.pem", home / "key.pem"
    made = f"-x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {cert}"
    named = "-subj /CN=manager -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [openssl, "req", *made.split(), *named.split()], check=True, capture_output=True
    )
    return cert, key


@pytest.fixture
async def manager(authority, unused_tcp_port):
    """The address of a manager with that certificate."""

    async def answer(request):
        return web.json_response({"id": "e-1", "status": "started"})

    app = web.Application()
    app.router.add_get("/api/v3.1/executions/{id}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority)
    site = web.TCPSite(runner, "127.0.0.1", unused_tcp_port, ssl_context=context)
    await site.start()
    yield f"https://127.0.0.1:{unused_tcp_port}"
    await runner.cleanup()


async def status(client):
    async with client:
        return (await client.executions.get("e-1")).status


async def test_the_file_of_the_authority_is_enough(manager, authority):
    for cert in (authority[0], str(authority[0])):
        assert await status(Cloudify(manager, token="t", cert=cert)) == "started"


async def test_without_it_nothing_is_sent(manager):
    once = Session(retry=RetryPolicy(attempts=1))
    async with once:
        client = Cloudify(manager, token="t", session=once)
        with pytest.raises(NotSent, match=r"(?i)certificate"):
            await client.executions.get("e-1")


async def test_any_certificate_may_be_taken(manager):
    assert await status(Cloudify(manager, token="t", trust_all=True)) == "started"


async def test_a_shared_session_brings_its_own_certificates(manager, authority):
    context = ssl.create_default_context(cafile=authority[0])
    async with Session(tls=context) as session:
        client = Cloudify(manager, token="t", session=session)
        assert (await client.executions.get("e-1")).status == "started"


@pytest.mark.parametrize("more", [{"cert": "ca.pem"}, {"trust_all": True}])
def test_a_shared_session_takes_no_certificates_of_one_client(more):
    with pytest.raises(InvalidInput, match=r"Session\(tls="):
        Cloudify("m", token="t", session=Session(), **more)


def test_certificates_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"none\.pem cannot be used \(No such file"):
        Cloudify("m", token="t", cert=tmp_path / "none.pem")
    odd = tmp_path / "odd.pem"
    odd.write_text("no certificate")
    with pytest.raises(InvalidInput, match=r"odd\.pem cannot be used"):
        Cloudify("m", token="t", cert=odd)


def test_a_directory_of_certificates_is_taken(tmp_path):
    assert Cloudify("m", token="t", cert=tmp_path)
