import { noun, type Verb } from '../verb.ts'
import { auditVerify } from './audit-verify.ts'

export const audit: Verb = cli => noun('audit', 'the audit trail of an agent', cli, [auditVerify])
