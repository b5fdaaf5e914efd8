import { z } from 'zod'
import { bodySchema as drainBody } from '../agent/drain-agent.ts'
import type { AgentJson } from '../agent/get-agent.ts'
import type { HistoryJson } from '../agent/get-history.ts'
import { agentSchema } from './agent-answer.ts'
import { data } from './answers.ts'
import { historySchema } from './history-answer.ts'
import type { Operation } from './operation.ts'

const AGENT: AgentJson = {
  version: '0.1.0',
  startTime: '2026-01-31T12:00:00Z',
  running: 1,
  limit: 5,
  stopping: false,
  draining: false,
  guardian: { state: 'running', restarts: 0 },
  guesses: { wrong: 0, unseen: 0 },
  audit: { state: 'ok' },
  store: { state: 'ok', bytes: 4_194_304 },
  fleet: { name: 'db1', labels: { role: 'db' }, state: 'connected', queue: 'on' },
  limits: {
    memory: { by: 'cgroup-v2' },
    cpus: { by: 'cgroup-v2' },
    processes: { by: 'cgroup-v2' },
    ioWeight: { missing: 'the io controller' },
    openFiles: { by: 'prlimit' },
    fileSize: { by: 'prlimit' },
    nice: { by: 'nice' },
  },
  users: { possible: true },
  defaultLimits: { memory: 536_870_912 },
  maxLimits: {},
  host: {
    name: 'db1',
    system: 'Linux',
    release: '6.1.0-18-amd64',
    machine: 'x86_64',
    cpus: 4,
    memoryBytes: 8_589_934_592,
  },
  disk: { freeBytes: 53_687_091_200, totalBytes: 107_374_182_400 },
  caller: {
    id: 'default',
    rights: ['read', 'run', 'admin'],
    users: ['deploy'],
    bounds: { timeoutMs: 3_600_000 },
  },
}

const HISTORY: HistoryJson = {
  everyMs: 15_000,
  samples: [
    {
      time: '2026-01-31T12:00:00Z',
      running: 1,
      started: 3,
      ended: 2,
      failed: 1,
      rejected: 0,
      cpu: 0.004,
      residentBytes: 62_914_560,
      load: 0.25,
    },
  ],
}

export const getAgent: Operation = {
  tag: 'agent',
  summary: 'What the agent tells of itself',
  answers: { 200: data('Its state.', agentSchema, AGENT) },
}

export const getHistory: Operation = {
  tag: 'agent',
  summary: 'How the agent and its host fared in the last hour',
  answers: {
    200: data('A sample for every 15 seconds since the start, of at most an hour.', historySchema, HISTORY),
  },
}

export const drainAgent: Operation = {
  tag: 'agent',
  summary: 'Takes no new jobs from now on',
  description: 'The agent ends with the last job that runs.',
  body: { schema: drainBody, isOptional: true, examples: { nothing: {} } },
  answers: { 200: data('Its state.', agentSchema, { ...AGENT, draining: true }) },
}

export const getMetrics: Operation = {
  tag: 'agent',
  summary: 'Metrics for Prometheus',
  answers: {
    200: {
      description: "Prometheus's text format, version 0.0.4.",
      content: {
        'text/plain': { schema: z.string(), examples: { running: { value: 'newdt_jobs_running 1\n' } } },
      },
    },
  },
}

export const getOpenApi: Operation = {
  tag: 'agent',
  summary: 'This document',
  answers: {
    200: {
      description: 'OpenAPI 3.1, without the envelope.',
      content: {
        'application/json': {
          schema: z.looseObject({ openapi: z.string() }),
          examples: { beginning: { value: { openapi: '3.1.1' } } },
        },
      },
    },
  },
}

export const health: Operation = {
  tag: 'agent',
  summary: 'Whether the agent is up',
  answers: { 200: data('Also while it is stopping.', z.literal('up'), 'up') },
}

export const ready: Operation = {
  tag: 'agent',
  summary: 'Whether jobs may be sent here',
  answers: { 200: data('They may.', z.literal('ready'), 'ready') },
  refusals: ['not-ready'],
}
