"""KMS: key states, usages and algorithms."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def kms(cloud: Cloud) -> Any:
    return cloud.client("kms")


def code(call: Any, **members: Any) -> str:
    """The code of the error that the call fails with."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    return str(caught.value.response["Error"]["Code"])


def cryptographic_calls(kms: Any, key: str, ciphertext: bytes) -> dict[Any, dict[str, Any]]:
    return {
        kms.encrypt: {"KeyId": key, "Plaintext": b"x"},
        kms.decrypt: {"CiphertextBlob": ciphertext},
        kms.generate_data_key: {"KeyId": key, "KeySpec": "AES_256"},
        kms.generate_data_key_without_plaintext: {"KeyId": key, "KeySpec": "AES_256"},
        kms.re_encrypt: {"CiphertextBlob": ciphertext, "DestinationKeyId": key},
    }


def test_a_disabled_key_does_nothing_until_it_is_enabled(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    for call, members in cryptographic_calls(kms, key, ciphertext).items():
        assert code(call, **members) == "DisabledException", call
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"


def test_a_key_pending_deletion_does_nothing_and_cannot_be_changed(kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    calls = cryptographic_calls(kms, key, ciphertext)
    calls |= {kms.enable_key: {"KeyId": key}, kms.disable_key: {"KeyId": key}}
    calls |= {kms.create_alias: {"AliasName": "alias/gone", "TargetKeyId": key}}
    calls |= {kms.schedule_key_deletion: {"KeyId": key}}
    for call, members in calls.items():
        assert code(call, **members) == "KMSInvalidStateException", call
    kms.cancel_key_deletion(KeyId=key)
    assert code(kms.decrypt, CiphertextBlob=ciphertext) == "DisabledException"
    assert code(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"


def test_a_key_does_only_what_it_is_for(kms: Any) -> None:
    symmetric = kms.create_key()["KeyMetadata"]
    assert symmetric["KeyUsage"] == "ENCRYPT_DECRYPT"
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    mac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    assert code(kms.encrypt, KeyId=signing, Plaintext=b"x") == "InvalidKeyUsageException"
    sign = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert code(kms.sign, KeyId=symmetric["KeyId"], **sign) == "InvalidKeyUsageException"
    assert code(kms.get_public_key, KeyId=symmetric["KeyId"]) == "InvalidKeyUsageException"
    made = {"KeyId": mac["KeyId"], "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    assert kms.generate_mac(**made)["KeyId"] == mac["Arn"]
    assert code(kms.generate_mac, **{**made, "MacAlgorithm": "HMAC_SHA_512"}) == "InvalidKeyUsageException"
    assert code(kms.create_key, KeySpec="HMAC_256") == "ValidationException"


def test_a_signature_of_another_message_is_invalid(kms: Any) -> None:
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    how = {"KeyId": key, "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    signature = kms.sign(Message=b"one", **how)["Signature"]
    assert kms.verify(Message=b"one", Signature=signature, **how)["SignatureValid"]
    assert code(kms.verify, Message=b"two", Signature=signature, **how) == "KMSInvalidSignatureException"
    assert code(kms.sign, Message=b"d" * 32, MessageType="DIGEST", **how) == "NotImplementedException"


def test_a_ciphertext_is_decrypted_only_with_its_key_and_context(kms: Any) -> None:
    key, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    assert code(kms.decrypt, CiphertextBlob=ciphertext) == "InvalidCiphertextException"
    members = {"CiphertextBlob": ciphertext, "EncryptionContext": {"a": "b"}}
    assert code(kms.decrypt, KeyId=other, **members) == "IncorrectKeyException"
    assert kms.decrypt(KeyId=key, **members)["Plaintext"] == b"x"
