/** What waits for a host's word, over the stage: each with all that is worth knowing before it is allowed. */

import { useHostRequests } from "../hooks/useHostRequests";

export function HostRequests({ invite, name }: { readonly invite: string; readonly name: string }) {
  const { requests, fault, decide } = useHostRequests(invite, name);
  if (requests.length === 0) return null;
  return (
    <section className="host-requests" aria-label="Waiting for your approval" data-testid="host-requests">
      <div role="status" className="visually-hidden">
        {requests.length === 1 ? "One request waits" : `${requests.length} requests wait`} for your approval.
      </div>
      {requests.map((request) => (
        <article key={request.id} className="host-request" data-testid="host-request" data-id={request.id}>
          <p>
            <b>{request.name}</b> wants to use <b>{request.what}</b>
          </p>
          <pre tabIndex={0} aria-label={`What ${request.name} wants to use ${request.what} with`}>
            {request.detail}
          </pre>
          <div className="host-actions">
            <button
              type="button"
              className="button small"
              data-testid="host-deny"
              aria-label={`Deny ${request.name} ${request.what}, request ${request.id}`}
              onClick={() => void decide(request.id, false)}
            >
              Deny
            </button>
            <button
              type="button"
              className="button small primary"
              data-testid="host-allow"
              aria-label={`Allow ${request.name} ${request.what}, request ${request.id}`}
              onClick={() => void decide(request.id, true)}
            >
              Allow
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
