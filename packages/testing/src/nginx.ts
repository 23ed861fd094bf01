import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { guardChildren } from './child-guard.ts'
import { openTempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** Where nginx is installed; undefined where it is not, and tests with it are skipped. */
export const nginxPath: string | undefined = folders.map((folder) => join(folder, 'nginx')).find(existsSync)

/** A reverse proxy of the real kind, with a configuration of ours. */
export interface Nginx extends AsyncDisposable {
  readonly pid: number
}

/** `servers`: the `server { … }` blocks; `port`: one that they listen at. Throws where nginx is not installed. */
export async function startNginx(servers: string, port: number): Promise<Nginx> {
  if (nginxPath === undefined) throw new Error('nginx is not installed')
  const dir = await openTempDir('hotline-nginx-')
  const guard = guardChildren()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  for (const one of temporary) await mkdir(join(dir.path, one))
  const file = join(dir.path, 'nginx.conf')
  await writeFile(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
     daemon off; worker_processes 1; pid ${dir.path}/nginx.pid; error_log stderr crit;
     events {}
     http {
       access_log off;
       ${temporary.map((one) => `${one}_temp_path ${dir.path}/${one};`).join('\n')}
       ${servers}
     }`,
  )
  const child = await guard.startChild({ command: nginxPath, args: ['-p', dir.path, '-c', file, '-e', 'stderr'] })
  await waitFor(() => fetch(`http://127.0.0.1:${port}/healthz`).then(() => true), { what: 'nginx' })
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      await guard[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}
