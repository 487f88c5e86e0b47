"""Why kudos are not given: to whom, from whom, how many, how fast."""

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
    """The giver has less than that beside the floor and what is held."""

    code = "KudosTransferNotEnough"


class NegativeKudosTransfer(Invalid):
    """Nobody can be given less than nothing."""

    code = "NegativeKudosTransfer"


class InvalidKudosTransferAmount(Invalid):
    """Nothing is no gift."""

    code = "InvalidKudosTransferAmount"


class InvalidTargetUsername(Invalid):
    """The receiver is neither a user's alias nor a shared key."""

    code = "InvalidTargetUsername"


class ExpiredSharedKey(Invalid):
    """The receiver is a shared key whose time is over."""

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
    """Accounts of education use what they are given themselves."""

    code = "EducationCannotSendKudos"


class TooFastKudosTransfers(Invalid):
    """The receiver gave the giver kudos within the last minute."""

    code = "TooFastKudosTransfers"


class IdempotencyKeyConflict(Invalid):
    """The Idempotency-Key stands for another transfer."""

    code = "IdempotencyKeyConflict"


class NotAllowedAwards(Forbidden):
    """Only administrators award kudos."""

    code = "NotAllowedAwards"


class InvalidAwardUsername(Invalid):
    """Who is to be awarded does not exist."""

    code = "InvalidAwardUsername"


class KudosAwardToAnon(Invalid):
    """The anonymous user can't be awarded kudos."""

    code = "KudosAwardToAnon"
