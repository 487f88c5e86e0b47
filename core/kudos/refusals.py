"""Refusals to move kudos: to whom, from whom, how many, how fast."""

from core.errors import Forbidden, Invalid


class KudosTransferFromAnon(Invalid):
    """The anonymous user has no kudos to give."""

    code = "KudosTransferFromAnon"


class KudosTransferToAnon(Invalid):
    """The anonymous user can't be given kudos."""

    code = "KudosTransferToAnon"


class KudosTransferToSelf(Invalid):
    """Giver and receiver are the same."""

    code = "KudosTransferToSelf"


class KudosTransferNotEnough(Invalid):
    """The giver has less than that available, without the floor and what is held."""

    code = "KudosTransferNotEnough"


class NegativeKudosTransfer(Invalid):
    """The amount is negative."""

    code = "NegativeKudosTransfer"


class InvalidKudosTransferAmount(Invalid):
    """The amount is zero."""

    code = "InvalidKudosTransferAmount"


class InvalidTargetUsername(Invalid):
    """The receiver is neither a user's alias nor a shared key."""

    code = "InvalidTargetUsername"


class ExpiredSharedKey(Invalid):
    """The receiver is an expired shared key."""

    code = "SharedKeyExpired"


class DeletedParty(Invalid):
    """The giver's or the receiver's account is deleted."""

    code = "DeletedUser"


class SourceAccountFlagged(Invalid):
    """The giver is flagged by the moderators."""

    code = "SourceAccountFlagged"


class TargetAccountFlagged(Invalid):
    """The receiver is flagged by the moderators."""

    code = "TargetAccountFlagged"


class FaultWhenKudosSending(Invalid):
    """The giver is under suspicion."""

    code = "FaultWhenKudosSending"


class FaultWhenKudosReceiving(Invalid):
    """The receiver is under suspicion."""

    code = "FaultWhenKudosReceiving"


class EducationCannotSendKudos(Invalid):
    """Education accounts may not give away what they were given."""

    code = "EducationCannotSendKudos"


class TooFastKudosTransfers(Invalid):
    """The receiver gave the giver kudos within the last minute."""

    code = "TooFastKudosTransfers"


class IdempotencyKeyConflict(Invalid):
    """The Idempotency-Key stands for another transfer, or for another request."""

    code = "IdempotencyKeyConflict"


class NotAllowedAwards(Forbidden):
    """Only administrators award kudos."""

    code = "NotAllowedAwards"


class InvalidAwardUsername(Invalid):
    """The user to be awarded does not exist."""

    code = "InvalidAwardUsername"


class KudosAwardToAnon(Invalid):
    """The anonymous user can't be awarded kudos."""

    code = "KudosAwardToAnon"
