from dotmac.core.errors import Conflict, DomainError


class BusinessDateFixed(Conflict):
    code = "business_date_fixed"
    title = "Only a demonstration installation can set its business date."


class BusinessDateBackwards(Conflict):
    code = "business_date_backwards"
    title = "The business date moves forward only."


class JobEnded(Conflict):
    code = "job_ended"
    title = "The job has ended already."


class EventNotParked(Conflict):
    code = "event_not_parked"
    title = "Only a parked event can be sent again."


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    title = "This Idempotency-Key was used with another request."


class IdempotencyInFlight(Conflict):
    code = "idempotency_in_flight"
    title = "A request with this Idempotency-Key is being worked on."


class IdempotencyKeyMalformed(DomainError):
    code = "idempotency_key_malformed"
    status = 400
    title = "An Idempotency-Key has 1 to 255 printable ASCII characters."


class MessageNotFailed(Conflict):
    code = "message_not_failed"
    title = "Only a failed message can be sent again."


class KeyStepOutOfOrder(Conflict):
    code = "key_step_out_of_order"
    title = "This step of a rotation does not come now."


class KeyReadersBehind(Conflict):
    code = "key_readers_behind"
    title = "A running server does not know the key yet."


class KeyInUse(Conflict):
    code = "key_in_use"
    title = "The key is still needed."
