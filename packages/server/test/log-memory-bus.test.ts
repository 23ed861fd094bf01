import { busContract } from '@hotline/testing/log-bus-contract'
import { openMemoryBus } from '../src/log/memory-bus.ts'

busContract('memory', () => Promise.resolve(openMemoryBus()))
