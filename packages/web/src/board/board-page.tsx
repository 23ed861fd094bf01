import { openTaskBoard, type TaskBoard, type TaskPlace } from '@hotline/client/task-board'
import type { Problem } from '@hotline/protocol/error'
import { type TaskColumn, taskColumns, type TaskRow } from '@hotline/protocol/task'
import { Outlet, useParams } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { phone, useMedia } from '../live/use-media.ts'
import { useMay } from '../live/use-may.ts'
import { useReadable } from '@hotline/client/use-readable'
import { AsOf } from '../parts/as-of.tsx'
import { Failed } from '../parts/failed.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { Refusal } from '../parts/refusal.tsx'
import { legibleName } from '../text/legible.ts'
import { BoardColumn, ColumnTab } from './board-column.tsx'
import { DragRoom } from './drag-room.tsx'
import { NewTask } from './new-task.tsx'
import { columnWords, placeIn } from './places.ts'
import { useSeenSessions } from './session-badge.tsx'
import { useBoardKeys } from './use-board-keys.ts'
import { TabList } from '../parts/tab-list.tsx'

/** The cards of a project in their columns, and beside them the card that was chosen. */
export function BoardPage(): ReactNode {
  const { link, me } = useLive()
  const { task } = useParams({ strict: false })
  const [project, setProject] = useState(me.projects[0]?.project ?? 'default')
  const [tries, setTries] = useState(0)
  const [board, setBoard] = useState<TaskBoard>()
  useEffect(() => {
    const opened = openTaskBoard(link, project)
    setBoard(opened)
    return () => opened[Symbol.dispose]()
  }, [link, project, tries])
  const choice = me.projects.length > 1 && (
    <select
      className="input project"
      aria-label="Project"
      value={project}
      onChange={(event) => setProject(event.target.value)}
    >
      {me.projects.map(({ project: id, name }) => (
        <option key={id} value={id}>
          {legibleName(name)}
        </option>
      ))}
    </select>
  )
  return (
    <div className={`boards${task === undefined ? '' : ' chosen'}`}>
      {board ? (
        <Board board={board} project={project} choice={choice} again={() => setTries(tries + 1)} />
      ) : (
        <div className="board" aria-busy="true" />
      )}
      <Outlet />
    </div>
  )
}

function Board({
  board,
  project,
  choice,
  again,
}: {
  board: TaskBoard
  project: string
  choice: ReactNode
  again: () => void
}): ReactNode {
  const { status, columns, problem } = useReadable(board.picture)
  const may = useMay(project)
  const seen = useSeenSessions()
  const dialog = useRef<HTMLDialogElement>(null)
  const [refusal, setRefusal] = useState<Problem>()
  const [told, setTold] = useState('')
  const [chosen, setChosen] = useState<TaskColumn>('todo')
  const narrow = useMedia(phone)
  const mayWrite = may('write')

  async function put(row: TaskRow, place: TaskPlace): Promise<void> {
    setRefusal(undefined)
    setTold(`“${legibleName(row.title)}” is in ${columnWords[place.to]} now.`)
    const refused = await board.move(row.task, place)
    if (!refused) return
    setTold('')
    setRefusal({ ...refused, detail: `“${legibleName(row.title)}” is back where it was: ${refused.detail}` })
  }
  const find = (task: string): TaskRow | undefined =>
    taskColumns.flatMap((column) => columns[column].tasks).find((row) => row.task === task)
  const send = (task: string, to: TaskColumn): void => {
    const row = find(task)
    if (row) void put(row, placeIn({ columns, to, task }))
  }
  const onKey = useBoardKeys(columns, mayWrite ? (row, place) => void put(row, place) : undefined)

  if (status === 'failed') return <Failed what="The board cannot be shown." problem={problem} retry={again} />
  const isEmpty = taskColumns.every((column) => columns[column].tasks.length === 0)
  const newCard = (
    <button type="button" className="button strong" onClick={() => openDialog(dialog.current)}>
      New card
    </button>
  )
  return (
    <section className="board" aria-label="Board" aria-busy={status === 'loading'} onKeyDown={onKey}>
      <header>
        <div>
          <h1>Board</h1>
          <AsOf />
        </div>
        {choice}
        {mayWrite && !(isEmpty && status === 'live') && newCard}
      </header>
      <Refusal problem={refusal ?? problem} look="notice" />
      <p className="unseen" role="status">
        {told}
      </p>
      {status === 'live' && isEmpty ? (
        <div className="empty">
          <h1>Nothing is on this board yet</h1>
          <p>A card says what shall be done. Start an agent for it, and it moves by itself.</p>
          {mayWrite && newCard}
        </div>
      ) : (
        <DragRoom columns={columns} seen={seen} put={(row, place) => void put(row, place)}>
          {narrow && (
            <TabList label="Column">
              {taskColumns.map((column) => (
                <ColumnTab
                  key={column}
                  column={column}
                  picture={columns[column]}
                  isShown={column === chosen}
                  show={() => setChosen(column)}
                />
              ))}
            </TabList>
          )}
          <div className="columns">
            {taskColumns
              .filter((column) => !narrow || column === chosen)
              .map((column) => (
                <BoardColumn
                  key={column}
                  column={column}
                  picture={columns[column]}
                  seen={seen}
                  move={mayWrite ? send : undefined}
                  more={() => void board.loadMore(column).then(setRefusal)}
                />
              ))}
          </div>
        </DragRoom>
      )}
      <NewTask dialog={dialog} project={project} />
    </section>
  )
}
