/** Bytes of the part of the header that has a fixed layout. */
export const FIXED_HEADER_BYTES = 16;

/** The largest `ay` that we carry; our API's messages are far smaller. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** A header needs a few hundred bytes; only an object path has no limit of its own. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** Room for a body of the largest `ay` with its length, an fd index and a full header. Larger messages are drained, not kept. */
export const MAX_MESSAGE_BYTES = MAX_BODY_BYTES + MAX_HEADER_BYTES;

/** dbus-daemon's max_message_unix_fds: it disconnects who sends more. */
export const MAX_SENT_FDS = 16;

/** Unclaimed descriptors that may wait for the rest of their message; the bus passes at most its max_message_unix_fds. */
export const MAX_QUEUED_FDS = 1024;

// D-Bus Specification, "Message Format" and "Valid Signatures"
export const SPEC_MAX_MESSAGE_BYTES = 128 * 1024 * 1024;
export const SPEC_MAX_ARRAY_BYTES = 64 * 1024 * 1024;
export const SPEC_MAX_SIGNATURE_BYTES = 255;
export const SPEC_MAX_NAME_BYTES = 255;
export const SPEC_MAX_ARRAY_DEPTH = 32;
export const SPEC_MAX_STRUCT_DEPTH = 32;
export const SPEC_MAX_VALUE_DEPTH = 64;
