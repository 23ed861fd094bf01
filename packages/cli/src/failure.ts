import { type ErrorCode, errorKinds, kindOf, type Problem, problem } from '@hotline/protocol/error'

/** A refusal on its way to the end of the program: its kind decides the exit code. */
export class Failure extends Error {
  readonly problem: Problem
  constructor(refusal: Problem) {
    super(refusal.detail)
    this.problem = refusal
  }
}

export function fail(code: ErrorCode, detail: string): Failure {
  return new Failure(problem(code, detail))
}

export function exitCodeOf(refusal: Problem): number {
  return errorKinds[kindOf(refusal.code)].exit
}
