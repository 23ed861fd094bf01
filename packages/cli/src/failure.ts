import { type ErrorCode, exitCodes, kindOf, type Problem, problem } from '@hotline/protocol/error'

/** A refusal on its way to the end of the program: its kind decides the exit code. */
export class Failure extends Error {
  readonly problem: Problem
  constructor(refusal: Problem) {
    super(refusal.detail)
    this.problem = refusal
  }
}

/** A refusal of the command line's own. */
export function fail(code: ErrorCode, detail: string): Failure {
  return new Failure(problem(code, detail))
}

/** The exit code of a refusal, by its kind. */
export function exitCodeOf(refusal: Problem): number {
  return exitCodes[kindOf(refusal.code)]
}
