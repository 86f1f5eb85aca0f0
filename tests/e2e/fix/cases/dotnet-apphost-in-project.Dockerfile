# case: app=dotnet to=mcr.microsoft.com/dotnet/aspnet:3.1
FROM mcr.microsoft.com/dotnet/sdk:3.1
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1
WORKDIR /app
COPY . ./
RUN dotnet publish --configuration Release --output out
CMD ["./out/Shop"]
