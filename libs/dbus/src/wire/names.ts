import { SPEC_MAX_NAME_BYTES } from './limits';

// D-Bus Specification, "Valid Object Paths" and "Valid Names". Each expression has one way to match, so it is linear.
const OBJECT_PATH = /^\/(?:\w+(?:\/\w+)*)?$/;
const MEMBER = /^[A-Za-z_]\w*$/;
const INTERFACE = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/;
const UNIQUE = /^:[\w-]+(?:\.[\w-]+)+$/;
const WELL_KNOWN = /^[A-Za-z_-][\w-]*(?:\.[A-Za-z_-][\w-]*)+$/;

const fits = (name: string): boolean => name.length <= SPEC_MAX_NAME_BYTES;

export const isObjectPath = (text: string): boolean => OBJECT_PATH.test(text);
export const isMemberName = (text: string): boolean => fits(text) && MEMBER.test(text);
/** Interface names and error names have the same grammar. */
export const isInterfaceName = (text: string): boolean => fits(text) && INTERFACE.test(text);
export const isUniqueName = (text: string): boolean => fits(text) && UNIQUE.test(text);
export const isBusName = (text: string): boolean =>
  fits(text) && (UNIQUE.test(text) || WELL_KNOWN.test(text));
