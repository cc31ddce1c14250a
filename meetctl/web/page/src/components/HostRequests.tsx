/** What waits for a host's word, over the stage: each with all that is worth knowing before it is allowed. */

import type { HostRequest } from "../api";
import { useHostRequests } from "../hooks/useHostRequests";

export function HostRequests({ invite, name }: { readonly invite: string; readonly name: string }) {
  const { requests, fault, decide } = useHostRequests(invite, name);
  if (requests.length === 0) return null;
  return (
    <section className="host-requests" aria-label="Waiting for your word" data-testid="host-requests">
      <div role="status" className="visually-hidden">
        {requests.length === 1 ? "One request waits" : `${requests.length} requests wait`} for your word.
      </div>
      {requests.map((request) => (
        <article key={request.id} className="host-request" data-testid="host-request" data-id={request.id}>
          <Wish request={request} />
          <div className="host-actions">
            <button
              type="button"
              className="button small"
              data-testid="host-deny"
              aria-label={`${words(request).deny} ${subject(request)}, request ${request.id}`}
              onClick={() => void decide(request.id, false)}
            >
              {words(request).deny}
            </button>
            <button
              type="button"
              className="button small primary"
              data-testid="host-allow"
              aria-label={`${words(request).allow} ${subject(request)}, request ${request.id}`}
              onClick={() => void decide(request.id, true)}
            >
              {words(request).allow}
            </button>
          </div>
        </article>
      ))}
      {fault && (
        <p className="form-error" role="alert">
          {fault}
        </p>
      )}
    </section>
  );
}

/** What is asked for, in a sentence, and all that is worth knowing before it is allowed. */
function Wish({ request }: { readonly request: HostRequest }) {
  const { name, what, detail, kind } = request;
  if (kind === ADMISSION) {
    return (
      <>
        <p>
          <b>{name}</b> wants to come in
        </p>
        <p className="host-detail">{detail}</p>
      </>
    );
  }
  return (
    <>
      <p>
        <b>{name}</b> wants to use <b>{what}</b>
      </p>
      <pre tabIndex={0} aria-label={`What ${name} wants to use ${what} with`}>
        {detail}
      </pre>
    </>
  );
}

const ADMISSION = "admission";

function subject({ kind, name, what }: HostRequest): string {
  return kind === ADMISSION ? name : `${name} ${what}`;
}

function words({ kind }: HostRequest): { readonly allow: string; readonly deny: string } {
  return kind === ADMISSION ? { allow: "Let in", deny: "Refuse" } : { allow: "Allow", deny: "Deny" };
}
