/** Which message this is and for whom, after its fixed header and its fields were checked. */
export type Header = CallHeader | ReturnHeader | ErrorHeader | SignalHeader;

interface CommonHeader {
  readonly serial: number;
  readonly noReplyExpected: boolean;
  readonly sender: string | undefined;
  readonly destination: string | undefined;
  /** Of the body; '' when there is none. */
  readonly signature: string;
}

export interface CallHeader extends CommonHeader {
  readonly type: 'call';
  readonly path: string;
  readonly interface: string | undefined;
  readonly member: string;
}

export interface ReturnHeader extends CommonHeader {
  readonly type: 'return';
  readonly replySerial: number;
}

export interface ErrorHeader extends CommonHeader {
  readonly type: 'error';
  readonly replySerial: number;
  readonly errorName: string;
}

export interface SignalHeader extends CommonHeader {
  readonly type: 'signal';
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

// D-Bus Specification, "Message Format"
export const MESSAGE_TYPE = { call: 1, return: 2, error: 3, signal: 4 } as const;
export type MessageType = keyof typeof MESSAGE_TYPE;

export const FLAG_NO_REPLY_EXPECTED = 1;

export const PROTOCOL_VERSION = 1;
export const LITTLE_ENDIAN = 'l'.charCodeAt(0);
export const BIG_ENDIAN = 'B'.charCodeAt(0);
