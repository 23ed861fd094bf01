import { config } from 'zod'

// For pages whose policy forbids making code from text: schemas then do not even try. Schemas look at this when they are
// made, so this module has to be the first import of the page: the one place where importing does something.
config({ jitless: true })
