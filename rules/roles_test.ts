import { assertEquals } from "@std/assert";
import { decodeRecord, encodeRecord } from "../common/record/mod.ts";
import { compileRules, describeRejection, readRuleSources } from "../common/sigma/mod.ts";
import { Engine } from "../wasm/engine/mod.ts";

const ROLES = compileRules(await readRuleSources(new URL("roles", import.meta.url).pathname));

/** Programs as they start, and the role that they get; absent: none. */
const PROGRAMS: readonly (readonly [image: string, argv: string, role?: string])[] = [
  ["/usr/local/bin/ollama", "ollama serve", "inference"],
  ["/usr/bin/python3.11", "python3 -m vllm.entrypoints.openai.api_server --port 8000", "inference"],
  ["/usr/bin/python3.11", "/opt/venv/bin/python /opt/venv/bin/vllm serve model", "inference"],
  ["/usr/bin/python3.11", "VLLM::EngineCore", "inference"],
  ["/opt/llama.cpp/llama-server", "llama-server -m model.gguf", "inference"],
  ["/usr/bin/python3.12", "python main.py /srv/ComfyUI/main.py --listen", "inference"],
  ["/usr/bin/python3.12", "/usr/bin/python3 /usr/local/bin/litellm --config c.yaml", "inference"],
  ["/usr/bin/python3.11", "/usr/bin/python3 /usr/bin/jupyter-lab --port 8888", "notebook"],
  ["/usr/bin/python3.11", "python -m ipykernel_launcher -f kernel.json", "notebook"],
  ["/usr/bin/python3.11", "/v/bin/python /v/bin/streamlit run app.py", "notebook"],
  ["/usr/bin/python3.11", "/v/bin/python /v/bin/torchrun --nproc 4 train.py", "training"],
  ["/usr/bin/python3.11", "ray::Worker.step", "training"],
  ["/opt/ray/raylet", "raylet --node-ip=10.0.0.1", "training"],
  ["/usr/bin/node", "node /x/node_modules/@modelcontextprotocol/server-github/i.js", "mcp"],
  ["/usr/bin/uvx", "uvx mcp-server-git --repository .", "mcp"],
  ["/home/a/.local/share/claude/versions/2.1.0", "claude", "coding_agent"],
  ["/usr/bin/node", "node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js", "coding_agent"],
  ["/usr/bin/node", "node /usr/bin/codex exec", "coding_agent"],
  ["/home/a/.local/share/cursor-agent/versions/1/node", "node index.js", "coding_agent"],
  ["/usr/bin/python3.11", "/v/bin/python3 /v/bin/aider --model x", "coding_agent"],
  ["/usr/bin/node", "node /usr/local/bin/n8n start", "orchestrator"],
  ["/usr/bin/python3.11", "/v/bin/python /v/bin/langflow run", "orchestrator"],
  ["/usr/bin/bash", "bash -c vllm serve model"],
  ["/usr/bin/python3.11", "/usr/bin/python3 /usr/bin/pip install vllm serve"],
  ["/usr/bin/node", "node /usr/bin/npm install -g @anthropic-ai/claude-code"],
  ["/usr/bin/vim.basic", "vim ollama.md"],
  ["/usr/bin/grep", "grep -r claude ."],
  ["/usr/bin/python3.11", "python3 manage.py runserver"],
  ["/usr/bin/cat", "cat /var/log/jupyter.log"],
];

Deno.test("roles: each program gets its role, and what only speaks of it gets none", async () => {
  assertEquals(ROLES.rejected.map(describeRejection), []);
  const engine = await Engine.create();
  engine.publish(ROLES.image);
  const nameOf = new Map(ROLES.roles.map(({ id, name }) => [id, name]));
  PROGRAMS.forEach(([image, argv, role], i) => {
    const record = encodeRecord("exec", {
      header: { pid: i + 1, start_time_ns: BigInt(i + 1) },
      slots: { image, argv: `${argv.replaceAll(" ", "\0")}\0` },
    });
    engine.batch.set(record);
    engine.scan(record.length);
    assertEquals(nameOf.get(decodeRecord(engine.batch).role), role, `${image}: ${argv}`);
  });
});
