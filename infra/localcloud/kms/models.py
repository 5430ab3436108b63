"""moto's KMS, with the rules of key states and key usages that AWS documents."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.kms.exceptions import ValidationException
from moto.kms.models import Alias, Key
from moto.kms.models import KmsBackend as MotoKmsBackend

from infra.localcloud.install import Context
from infra.localcloud.kms.errors import (
    DisabledKeyError,
    IncorrectKeyError,
    InvalidKeyStateError,
    InvalidKeyUsageError,
    InvalidSignatureError,
)

_PENDING = "PendingDeletion"
_ENCRYPT, _SIGN, _MAC = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"
_SYMMETRIC = "SYMMETRIC_DEFAULT"
# The usages of each kind of key; the kind is the first part of the key spec.
_USAGES = {"SYMMETRIC": (_ENCRYPT,), "HMAC": (_MAC,), "RSA": (_ENCRYPT, _SIGN), "ECC": (_SIGN,), "SM2": (_SIGN,)}


class KmsBackend(MotoKmsBackend):
    """The keys of one account and region."""

    context: ClassVar[Context]

    def create_key(
        self, policy: str | None, key_usage: str | None, key_spec: str | None, *args: Any, **kwargs: Any
    ) -> Key:
        """CreateKey.

        Raises:
            ValidationException: A key of this kind is not for this usage.
        """
        spec, usage = key_spec or _SYMMETRIC, key_usage or _ENCRYPT
        if (usages := _USAGES.get(spec.split("_")[0])) and usage not in usages:
            raise ValidationException(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
        return super().create_key(policy, usage, spec, *args, **kwargs)

    # --- states ---

    def _usable(self, key_id: str, usage: str, operation: str) -> Key:
        """The key, if its state and usage allow a cryptographic operation.

        Raises:
            DisabledKeyError: It is disabled.
            InvalidKeyStateError: It is pending deletion.
            InvalidKeyUsageError: Its usage is another.
        """
        key = self._changeable(key_id)
        if not key.enabled:
            raise DisabledKeyError(key.arn)
        if key.key_usage != usage:
            raise InvalidKeyUsageError(f"{key.arn} key usage is {key.key_usage} which is not valid for {operation}.")
        return key

    def _changeable(self, key_id: str) -> Key:
        """The key, unless it is pending deletion.

        Raises:
            InvalidKeyStateError: It is pending deletion.
        """
        key = self.keys[self.any_id_to_key_id(key_id)]
        if key.key_state == _PENDING:
            raise InvalidKeyStateError(f"{key.arn} is pending deletion.")
        return key

    def enable_key(self, key_id: str) -> None:
        """EnableKey. Raises as :meth:`_changeable`."""
        super().enable_key(self._changeable(key_id).id)

    def disable_key(self, key_id: str) -> None:
        """DisableKey. Raises as :meth:`_changeable`."""
        super().disable_key(self._changeable(key_id).id)

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        """ScheduleKeyDeletion. Raises as :meth:`_changeable`."""
        return super().schedule_key_deletion(self._changeable(key_id).id, pending_window_in_days)

    def cancel_key_deletion(self, key_id: str) -> None:
        """CancelKeyDeletion.

        Raises:
            InvalidKeyStateError: The key is not pending deletion.
        """
        key = self.keys[self.any_id_to_key_id(key_id)]
        if key.key_state != _PENDING:
            raise InvalidKeyStateError(f"{key.arn} is not pending deletion.")
        super().cancel_key_deletion(key.id)

    def update_key_description(self, key_id: str, description: str) -> None:
        """UpdateKeyDescription. Raises as :meth:`_changeable`."""
        super().update_key_description(self._changeable(key_id).id, description)

    def create_alias(self, target_key_id: str, alias_name: str) -> Alias:
        """CreateAlias. Raises as :meth:`_changeable`."""
        return super().create_alias(self._changeable(target_key_id).id, alias_name)

    def update_alias(self, target_key_id: str, alias_name: str) -> Alias:
        """UpdateAlias. Raises as :meth:`_changeable`."""
        return super().update_alias(self._changeable(target_key_id).id, alias_name)

    # --- cryptographic operations ---

    def encrypt(self, key_id: str, plaintext: bytes, encryption_context: dict[str, str]) -> tuple[bytes, str]:
        """Encrypt, and the second half of GenerateDataKey and ReEncrypt. Raises as :meth:`_usable`."""
        key = self._usable(key_id, _ENCRYPT, "Encrypt")
        if key.key_spec != _SYMMETRIC:
            raise InvalidKeyUsageError(f"{key.arn} key spec is {key.key_spec} which is not valid for {_SYMMETRIC}.")
        return super().encrypt(key.id, plaintext, encryption_context)

    def decrypt(
        self, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None
    ) -> tuple[bytes, str]:
        """Decrypt. Raises as :meth:`_usable`.

        Raises:
            IncorrectKeyError: ``key_id`` is not the key of the ciphertext.
        """
        plaintext, arn = super().decrypt(ciphertext_blob, encryption_context)
        key = self._usable(arn, _ENCRYPT, "Decrypt")
        if key_id is not None and self.any_id_to_key_id(key_id) != key.id:
            raise IncorrectKeyError
        return plaintext, arn

    def sign(self, key_id: str, message: bytes, signing_algorithm: str) -> tuple[str, bytes, str]:
        """Sign. Raises as :meth:`_usable`."""
        return super().sign(self._usable(key_id, _SIGN, "Sign").id, message, signing_algorithm)

    def verify(self, key_id: str, message: bytes, signature: bytes, signing_algorithm: str) -> tuple[str, bool, str]:
        """Verify. Raises as :meth:`_usable`.

        Raises:
            InvalidSignatureError: The signature is not that of the message.
        """
        key = self._usable(key_id, _SIGN, "Verify")
        arn, valid, algorithm = super().verify(key.id, message, signature, signing_algorithm)
        if not valid:
            raise InvalidSignatureError
        return arn, valid, algorithm

    def generate_mac(self, message: bytes, key_id: str, mac_algorithm: str, *args: Any, **kwargs: Any) -> Any:
        """GenerateMac, which VerifyMac uses too. Raises as :meth:`_usable`."""
        key = self._usable(key_id, _MAC, "GenerateMac")
        if mac_algorithm.removeprefix("HMAC_SHA_") != key.key_spec.removeprefix("HMAC_"):
            raise InvalidKeyUsageError(f"{mac_algorithm} is not a valid algorithm of {key.arn} ({key.key_spec}).")
        mac, algorithm, _ = super().generate_mac(message, key.id, mac_algorithm, *args, **kwargs)
        return mac, algorithm, key.arn

    def get_public_key(self, key_id: str) -> tuple[Key, bytes]:
        """GetPublicKey.

        Raises:
            InvalidKeyUsageError: The key is symmetric.
        """
        key = self._changeable(key_id)
        if not key.enabled:
            raise DisabledKeyError(key.arn)
        if key.key_spec == _SYMMETRIC or key.key_usage == _MAC:
            raise InvalidKeyUsageError(f"{key.arn} is symmetric and has no public key.")
        return super().get_public_key(key.id)
