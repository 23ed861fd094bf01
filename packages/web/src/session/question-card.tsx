import { formOf } from '@hotline/core/question/form'
import type { QuestionItem } from '@hotline/core/transcript/item'
import type { CommandInput } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useMemo, useState } from 'react'
import { Legible } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { answerText } from './answer-text.ts'
import { Snooze } from './snooze.tsx'
import { QuestionForm } from './question-form.tsx'

/** Sends an answer; answers why it was refused. */
export type AnswerQuestion = (data: CommandInput<'question.answer'>) => Promise<Problem | undefined>

/** A question of an agent as a form; answered, as one line. */
export function QuestionCard({
  item,
  session,
  mayAnswer,
  answer,
  hasKey,
}: {
  item: QuestionItem
  session: string
  mayAnswer: boolean
  answer: AnswerQuestion
  /** A key puts it aside: it is what one looks at. */
  hasKey: boolean
}): ReactNode {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const fields = useMemo(() => formOf(item.schema), [item.schema])
  if (item.action !== undefined) {
    const words = {
      accept: 'Answered',
      decline: 'Declined',
      cancel: 'Cancelled',
      withdrawn: 'No longer asked',
    } as const
    return (
      <div className="folded">
        <span>{words[item.action]}</span>
        <span className="title">
          <Legible text={item.text} place="name" />
        </span>
        {item.content !== undefined && (
          <span className="quiet">
            <Legible text={answerText(fields, item.content)} place="prose" />
          </span>
        )}
      </div>
    )
  }
  // The line in the log folds the card; a refusal brings the buttons back and says why.
  const send = async (data: Omit<CommandInput<'question.answer'>, 'question'>): Promise<void> => {
    setBusy(true)
    const refusal = await answer({ question: item.question, ...data })
    setProblem(refusal)
    if (refusal) setBusy(false)
  }
  return (
    <article className="card" aria-label="Needs you: a question">
      <header>
        <span className="said">
          <Legible text={item.text} place="prose" />
        </span>
      </header>
      {mayAnswer ? (
        <QuestionForm
          fields={fields}
          busy={busy}
          answer={(content) => void send({ action: 'accept', content })}
          decline={() => void send({ action: 'decline' })}
        />
      ) : (
        <p className="facts quiet">You may read here; somebody with another role answers.</p>
      )}
      <Refusal problem={problem} look="facts" />
      <Snooze session={session} ask={item.question} endsMs={undefined} hasKey={hasKey} />
    </article>
  )
}
