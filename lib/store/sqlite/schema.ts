/** Each brings a file of the schema before it to the next; `user_version` counts them. Times are in µs. */
export const MIGRATIONS = [
  `
  CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: readers of a removed job must not read another
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    mark INTEGER NOT NULL,
    pid INTEGER NOT NULL DEFAULT 0,
    async INTEGER NOT NULL,
    encoding TEXT NOT NULL DEFAULT 'utf-8',
    create_time INTEGER NOT NULL,
    start_time INTEGER,
    finish_time INTEGER,
    exit_code INTEGER NOT NULL DEFAULT 0,
    signal TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    stdout_bytes INTEGER NOT NULL DEFAULT 0, -- written by the job
    stderr_bytes INTEGER NOT NULL DEFAULT 0,
    kept_bytes INTEGER NOT NULL DEFAULT 0,   -- of both, still in the table of outputs
    cpu_user REAL NOT NULL DEFAULT 0,        -- seconds
    cpu_system REAL NOT NULL DEFAULT 0,
    leftovers INTEGER NOT NULL DEFAULT 0,
    survivors TEXT NOT NULL DEFAULT '[]',    -- JSON
    script_name TEXT NOT NULL,
    script_type TEXT NOT NULL,
    script_path TEXT NOT NULL,
    cmd TEXT NOT NULL,
    params TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    request_hash BLOB
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, id);
  CREATE INDEX jobs_by_finish ON jobs (finish_time, kept_bytes) WHERE finish_time IS NOT NULL;
  CREATE TABLE outputs (
    job INTEGER NOT NULL,
    seq INTEGER NOT NULL,          -- counts the chunks of a job from 1, over both streams
    stream INTEGER NOT NULL,       -- 1 stdout, 2 stderr
    time INTEGER NOT NULL,         -- when the first byte was read
    position INTEGER NOT NULL,     -- of the first byte among all that the job wrote
    stream_position INTEGER NOT NULL, -- the same within its stream
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX outputs_by_job ON outputs (job, seq)
  `,
  // A job's start touches three pages instead of five: no index holds what it does not have (a key) or is not (ended),
  // and numbers are counted by the agent instead of by AUTOINCREMENT.
  `
  CREATE TABLE new_jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    mark INTEGER NOT NULL,
    pid INTEGER NOT NULL DEFAULT 0,
    async INTEGER NOT NULL,
    encoding TEXT NOT NULL DEFAULT 'utf-8',
    create_time INTEGER NOT NULL,
    start_time INTEGER,
    finish_time INTEGER,
    exit_code INTEGER NOT NULL DEFAULT 0,
    signal TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    stdout_bytes INTEGER NOT NULL DEFAULT 0, -- written by the job
    stderr_bytes INTEGER NOT NULL DEFAULT 0,
    kept_bytes INTEGER NOT NULL DEFAULT 0,   -- of both, still in the table of outputs
    cpu_user REAL NOT NULL DEFAULT 0,        -- seconds
    cpu_system REAL NOT NULL DEFAULT 0,
    leftovers INTEGER NOT NULL DEFAULT 0,
    survivors TEXT NOT NULL DEFAULT '[]',    -- JSON
    script_name TEXT NOT NULL,
    script_type TEXT NOT NULL,
    script_path TEXT NOT NULL,
    cmd TEXT NOT NULL,
    params TEXT NOT NULL,
    idempotency_key TEXT,
    request_hash BLOB
  ) STRICT;
  INSERT INTO new_jobs SELECT * FROM jobs;
  DROP TABLE jobs;
  ALTER TABLE new_jobs RENAME TO jobs;
  CREATE INDEX running_jobs ON jobs (id) WHERE state = 'running';
  CREATE INDEX ended_jobs_by_state ON jobs (state, id) WHERE state <> 'running';
  CREATE INDEX jobs_by_finish ON jobs (finish_time, kept_bytes) WHERE finish_time IS NOT NULL;
  CREATE UNIQUE INDEX jobs_by_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL
  `,
  // Several chunks share a row: single bytes that alternate between two streams would cost a hundred bytes each. The
  // rows that are there stay as they are: one chunk each.
  `
  ALTER TABLE outputs ADD COLUMN chunks INTEGER NOT NULL DEFAULT 1;      -- in this row; seq is that of the first
  ALTER TABLE outputs ADD COLUMN runs BLOB;                              -- see output-runs.ts; null for one chunk
  ALTER TABLE outputs ADD COLUMN other_bytes INTEGER NOT NULL DEFAULT 0; -- of the stream that "stream" is not
  ALTER TABLE jobs ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;   -- what the rows of its output cost
  UPDATE jobs SET stored_bytes = kept_bytes WHERE kept_bytes > 0;
  DROP INDEX jobs_by_finish;
  CREATE INDEX jobs_by_finish ON jobs (finish_time, stored_bytes)
    WHERE finish_time IS NOT NULL AND state <> 'rejected'
  `,
  // Who has submitted a job: the id of a key, and an IP address. Before, there was one secret, whose key is "default".
  `
  ALTER TABLE jobs ADD COLUMN caller TEXT NOT NULL DEFAULT 'default';
  ALTER TABLE jobs ADD COLUMN client TEXT NOT NULL DEFAULT ''
  `,
  // Nonces of signatures, until these are too old, and how far those that were removed reach. Times are in ms.
  `
  CREATE TABLE nonces (
    hash BLOB PRIMARY KEY,
    expires INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nonces_by_expiry ON nonces (expires);
  CREATE TABLE nonces_removed (expires INTEGER NOT NULL) STRICT;
  INSERT INTO nonces_removed VALUES (0)
  `,
  // Labels, and lists of those of a caller or with a label. An index costs only those that have what it holds.
  `
  ALTER TABLE jobs ADD COLUMN labels TEXT NOT NULL DEFAULT '{}'; -- JSON
  CREATE TABLE job_labels (
    label TEXT NOT NULL, -- name=value
    id TEXT NOT NULL,    -- of the job
    PRIMARY KEY (label, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER job_labels_go AFTER DELETE ON jobs WHEN old.labels <> '{}' BEGIN
    DELETE FROM job_labels WHERE id = old.id AND label IN (SELECT key || '=' || value FROM json_each(old.labels));
  END;
  CREATE INDEX jobs_by_caller ON jobs (caller, id)
  `,
  // Whom a job runs as, within which limits, and what it has used; null is what is not known. Before, that was its CPU
  // time alone.
  `
  ALTER TABLE jobs ADD COLUMN user TEXT NOT NULL DEFAULT '';
  ALTER TABLE jobs ADD COLUMN limits TEXT NOT NULL DEFAULT '{}'; -- JSON
  ALTER TABLE jobs ADD COLUMN usage_cpu REAL;                    -- seconds
  ALTER TABLE jobs ADD COLUMN peak_memory INTEGER;               -- bytes
  ALTER TABLE jobs ADD COLUMN peak_processes INTEGER;
  ALTER TABLE jobs ADD COLUMN read_bytes INTEGER;                -- from disks, and to them
  ALTER TABLE jobs ADD COLUMN written_bytes INTEGER;
  UPDATE jobs SET usage_cpu = nullif(round(cpu_user + cpu_system, 6), 0)
    WHERE state IN ('success', 'failed', 'canceled') AND reason NOT IN ('start-failed', 'agent-lost')
  `,
  // Whom a job tells what happens to it, where it waited before, and what has not reached those yet: the entries of one
  // job for one target go in order, so only the first of them has a time. Those that are settled go with their job, those
  // that are not outlive it. Times are in ms.
  `
  ALTER TABLE jobs ADD COLUMN notify TEXT; -- JSON
  ALTER TABLE jobs ADD COLUMN queue TEXT;  -- JSON
  CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,      -- of the event
    job TEXT NOT NULL,     -- its id
    sink TEXT NOT NULL,
    target TEXT NOT NULL,  -- a URL, or empty
    origin TEXT NOT NULL,  -- of the target
    kind TEXT NOT NULL,
    payload TEXT NOT NULL, -- empty when it is settled
    created INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER,      -- null for one that waits for another, or is settled
    state TEXT NOT NULL DEFAULT 'pending',
    last_try INTEGER,
    last_error TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE INDEX outbox_by_job ON outbox (job, sink, target, number);
  CREATE INDEX outbox_due ON outbox (sink, origin, next_try, number) WHERE next_try IS NOT NULL;
  CREATE INDEX outbox_pending ON outbox (sink, origin, number) WHERE state = 'pending';
  CREATE TRIGGER outbox_goes AFTER DELETE ON jobs BEGIN
    DELETE FROM outbox WHERE job = old.id AND state <> 'pending';
  END
  `,
  // A job is first in recent_jobs, which stays a few pages, and moves with others when it has ended: so the table of jobs
  // and its indexes are written for many jobs together, and only at their ends.
  `
  DROP INDEX running_jobs;
  CREATE TABLE recent_jobs (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    mark INTEGER NOT NULL,
    pid INTEGER NOT NULL DEFAULT 0,
    async INTEGER NOT NULL,
    encoding TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    start_time INTEGER,
    finish_time INTEGER,
    exit_code INTEGER NOT NULL DEFAULT 0,
    signal TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    stdout_bytes INTEGER NOT NULL DEFAULT 0,
    stderr_bytes INTEGER NOT NULL DEFAULT 0,
    kept_bytes INTEGER NOT NULL DEFAULT 0,
    stored_bytes INTEGER NOT NULL DEFAULT 0,
    cpu_user REAL NOT NULL DEFAULT 0,
    cpu_system REAL NOT NULL DEFAULT 0,
    usage_cpu REAL,
    peak_memory INTEGER,
    peak_processes INTEGER,
    read_bytes INTEGER,
    written_bytes INTEGER,
    leftovers INTEGER NOT NULL DEFAULT 0,
    survivors TEXT NOT NULL DEFAULT '[]',
    script_name TEXT NOT NULL,
    script_type TEXT NOT NULL,
    script_path TEXT NOT NULL,
    cmd TEXT NOT NULL,
    params TEXT NOT NULL,
    idempotency_key TEXT,
    request_hash BLOB,
    caller TEXT NOT NULL,
    client TEXT NOT NULL,
    labels TEXT NOT NULL,
    user TEXT NOT NULL,
    limits TEXT NOT NULL,
    notify TEXT,
    queue TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX recent_jobs_by_key ON recent_jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TRIGGER recent_job_has_own_key BEFORE INSERT ON recent_jobs WHEN new.idempotency_key IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: jobs.idempotency_key')
      FROM jobs WHERE idempotency_key = new.idempotency_key;
  END;
  -- Those that ran when an agent was lost move, and what belongs to them stays: the triggers are as before.
  DROP TRIGGER job_labels_go;
  DROP TRIGGER outbox_goes;
  CREATE TABLE lost_jobs AS SELECT * FROM jobs WHERE state = 'running';
  DELETE FROM jobs WHERE state = 'running';
  INSERT INTO recent_jobs (id, number, state, mark, pid, async, encoding, create_time, start_time, script_name,
    script_type, script_path, cmd, params, idempotency_key, request_hash, caller, client, labels, user, limits, notify,
    queue)
  SELECT id, number, state, mark, pid, async, encoding, create_time, start_time, script_name,
    script_type, script_path, cmd, params, idempotency_key, request_hash, caller, client, labels, user, limits, notify,
    queue FROM lost_jobs;
  DROP TABLE lost_jobs;
  CREATE TRIGGER job_labels_go AFTER DELETE ON jobs WHEN old.labels <> '{}' BEGIN
    DELETE FROM job_labels WHERE id = old.id AND label IN (SELECT key || '=' || value FROM json_each(old.labels));
  END;
  CREATE TRIGGER outbox_goes AFTER DELETE ON jobs BEGIN
    DELETE FROM outbox WHERE job = old.id AND state <> 'pending';
  END
  `,
]
