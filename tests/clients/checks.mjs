// Checks of responses for the programs beside it. Each ends with an error if one differs.

import { deepStrictEqual, fail } from 'node:assert';
import { GitbeakerRequestError } from '@gitbeaker/rest';

export function check(what, actual, expected) {
  deepStrictEqual(actual, expected, `${what}: ${show(actual)}, where ${show(expected)} was expected`);
}

export function show(value) {
  return JSON.stringify(value);
}

export async function checkRefused(what, call, status, description) {
  let shown;
  try {
    shown = await call();
  } catch (error) {
    if (!(error instanceof GitbeakerRequestError)) throw error;
    check(`${what}, status`, error.cause.response.status, status);
    check(`${what}, message`, error.message, description);
    check(`${what}, description`, error.cause.description, description);
    return;
  }
  fail(`${what} was carried out: ${show(shown)}`);
}
