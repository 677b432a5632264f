/** A value as its D-Bus type wants it; each throws `Malformed` where it does not fit. */
import { Malformed } from '../errors';
import { isObjectPath } from './names';

export function misfit(what: string): never {
  throw new Malformed(what);
}

export const integer = (value: unknown, from: number, to: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to
    ? value
    : misfit(`no integer from ${from} to ${to}`);

export const bigint = (value: unknown, wrap: (bits: bigint) => bigint): bigint =>
  typeof value === 'bigint' && wrap(value) === value ? value : misfit('no bigint of 64 bits');

export const double = (value: unknown): number => (typeof value === 'number' ? value : misfit('no number'));
export const boolean = (value: unknown): boolean =>
  typeof value === 'boolean' ? value : misfit('no boolean');
export const text = (value: unknown): string => (typeof value === 'string' ? value : misfit('no string'));
export const objectPath = (value: unknown): string =>
  isObjectPath(text(value)) ? text(value) : misfit('no object path');
export const array = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : misfit('no array');
