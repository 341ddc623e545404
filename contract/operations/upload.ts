// Shares a file.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { workspaceName } from '../schema/address.ts';
import { contentTypeProblem, uploadNameProblem } from '../wire/uploads.ts';

export const upload = defineOperation({
  name: 'upload',
  summary: 'share a file under a URL',
  description:
    'Copies a file to the API server and returns a URL that cannot be guessed: whoever has it can read the file, for ' +
    "screenshots, reports and build artifacts. The file is read where `murmur` runs: on an agent's machine its own. An " +
    "agent's upload appears on its timeline. Over plain HTTP send the content: `PUT /v1/uploads/<filename>`.",
  input: z.strictObject({
    filename: z
      .string({ error: (issue) => (issue.input === undefined ? 'filename required' : 'filename must be a string') })
      .superRefine((name, context) => {
        const problem = uploadNameProblem(name);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .describe('Name of the file in its URL, such as `diagram.png`; not a path. It sets the content type.'),
    path: z
      .string({ error: (issue) => (issue.input === undefined ? 'path required' : 'path must be a string') })
      .min(1, 'path required')
      .describe('Path of the file where `murmur` runs. Must be absolute, except on the command line.'),
    content_type: z
      .string()
      .superRefine((type, context) => {
        const problem = contentTypeProblem(type);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional()
      .describe('MIME type, such as `image/png`. Default: from the name, otherwise `application/octet-stream`.'),
    workspace: workspaceName,
  }),
  output: z.string().describe('URL of the file.'),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  local: ['path'],
  mcp: { result: 'url' },
  cli: {
    command: 'upload',
    args: ['path'],
    argNames: { path: 'file' },
    flags: { filename: { help: "Name of the file in its URL. Default: the file's own name.", optional: true } },
    examples: [
      { line: 'upload report.html', says: 'prints its URL' },
      { line: 'upload out.log --filename build.txt', says: 'under another name' },
    ],
  },
});
